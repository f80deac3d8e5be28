/** The filter of a list: it completes what is typed, and shows where the server did not understand it. */
import { UUID } from '@lumino/coreutils';
import * as React from 'react';

import { useStudio } from '../frame/context';

/** What a text may go on with. */
export interface ICompletions {
  /** The part of the text that a completion takes the place of. */
  start: number;
  end: number;
  options: ICompletion[];
}

export interface ICompletion {
  text: string;
  /** What it is, in a word or two. */
  detail: string;
}

export interface IFilterBoxProps {
  label: string;
  placeholder: string;
  value: string;
  error: string | null;
  /** Where the fault is, from 1. */
  errorPosition?: number | null;
  onSubmit(value: string): void;
  complete?(text: string, caret: number): ICompletions | null;
}

/**
 * Enter applies the filter, Escape takes it back. While completions are shown, arrows choose one, Tab takes the first or
 * the chosen one, Enter the chosen one, and Escape closes them.
 */
export const FilterBox = React.forwardRef<HTMLInputElement, IFilterBoxProps>(
  function FilterBox(props, ref) {
    const { trans } = useStudio();
    const [id] = React.useState(() => `atelier-${UUID.uuid4()}`);
    const [text, setText] = React.useState(props.value);
    const [found, setFound] = React.useState<ICompletions | null>(null);
    const [chosen, setChosen] = React.useState(-1);
    const box = React.useRef<HTMLInputElement | null>(null);
    const list = React.useRef<HTMLUListElement>(null);
    React.useEffect(() => setText(props.value), [props.value]);
    React.useImperativeHandle(ref, () => box.current as HTMLInputElement);
    React.useEffect(() => {
      const option = list.current?.children[chosen];
      option?.scrollIntoView?.({ block: 'nearest' });
    }, [chosen]);

    // Whether something was typed that nothing was found for, perhaps because there was nothing to find it in yet.
    const isWanted = React.useRef(false);
    const close = () => {
      isWanted.current = false;
      setFound(null);
      setChosen(-1);
    };
    const suggest = (value: string, caret: number) => {
      const next = props.complete?.(value, caret) ?? null;
      isWanted.current = !next?.options.length;
      setFound(next && next.options.length ? next : null);
      setChosen(-1);
    };
    const { complete } = props;
    React.useEffect(() => {
      const input = box.current;
      if (isWanted.current && input && input === document.activeElement) {
        suggest(input.value, input.selectionStart ?? input.value.length);
      }
      // eslint-disable-next-line react-hooks/exhaustive-deps
    }, [complete]);
    const accept = (completions: ICompletions, index: number) => {
      const { start, end, options } = completions;
      const before = text.slice(0, start) + options[index].text;
      const next = before + text.slice(end).replace(/^\s+/, '');
      setText(next);
      suggest(next, before.length);
      window.requestAnimationFrame(() => {
        box.current?.focus();
        box.current?.setSelectionRange(before.length, before.length);
      });
    };
    const onKeyDown = (event: React.KeyboardEvent<HTMLInputElement>) => {
      const count = found?.options.length ?? 0;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === ' ' && event.ctrlKey) {
        event.preventDefault();
        suggest(text, event.currentTarget.selectionStart ?? text.length);
      } else if (step && !found && step > 0) {
        event.preventDefault();
        suggest(text, event.currentTarget.selectionStart ?? text.length);
      } else if (step && found) {
        event.preventDefault();
        const next = chosen + step;
        setChosen(next < -1 ? count - 1 : next >= count ? -1 : next);
      } else if (found && event.key === 'Tab' && !event.shiftKey) {
        event.preventDefault();
        accept(found, Math.max(0, chosen));
      } else if (found && event.key === 'Enter' && chosen >= 0) {
        event.preventDefault();
        accept(found, chosen);
      } else if (event.key === 'Escape') {
        event.preventDefault();
        if (found) {
          close();
        } else {
          setText('');
          props.onSubmit('');
        }
      }
    };
    const describedBy = props.error ? `${id}-error` : undefined;
    return (
      <form
        role="search"
        className="atelier-Filter"
        onSubmit={event => {
          event.preventDefault();
          close();
          props.onSubmit(text.trim());
        }}
      >
        <div className="atelier-Filter-box">
          <input
            ref={box}
            type="text"
            spellCheck={false}
            autoComplete="off"
            role={props.complete ? 'combobox' : undefined}
            aria-autocomplete={props.complete ? 'list' : undefined}
            aria-expanded={props.complete ? found !== null : undefined}
            aria-controls={found ? `${id}-list` : undefined}
            aria-activedescendant={
              found && chosen >= 0 ? `${id}-option-${chosen}` : undefined
            }
            aria-label={props.label}
            aria-invalid={props.error !== null}
            aria-describedby={describedBy}
            placeholder={props.placeholder}
            value={text}
            onChange={event => {
              const { value, selectionStart } = event.target;
              setText(value);
              suggest(value, selectionStart ?? value.length);
            }}
            onKeyDown={onKeyDown}
            onBlur={close}
          />
          {found && (
            <ul
              ref={list}
              id={`${id}-list`}
              role="listbox"
              aria-label={trans.__('Completions')}
              className="atelier-Filter-options"
            >
              {found.options.map((option, index) => (
                <li
                  key={option.text}
                  id={`${id}-option-${index}`}
                  role="option"
                  aria-selected={index === chosen}
                  onMouseDown={event => {
                    event.preventDefault();
                    accept(found, index);
                  }}
                >
                  <code>{option.text}</code>
                  <span>{option.detail}</span>
                </li>
              ))}
            </ul>
          )}
        </div>
        <button type="submit" className="atelier-Button" data-kind="plain">
          {trans.__('Filter')}
        </button>
        {props.error && props.errorPosition ? (
          <Place text={props.value} position={props.errorPosition} />
        ) : null}
        {props.error && (
          <div id={describedBy} className="atelier-Filter-error" role="alert">
            {props.error}
          </div>
        )}
      </form>
    );
  }
);

/** The filter with the place of its fault marked. */
function Place(props: { text: string; position: number }): React.ReactElement {
  const { text, position } = props;
  return (
    <code className="atelier-Filter-place" aria-hidden="true">
      {text.slice(0, position - 1)}
      <mark>{text.slice(position - 1, position) || ' '}</mark>
      {text.slice(position)}
    </code>
  );
}
