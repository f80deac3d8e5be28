/** The filter of a list, with the server's word on what is wrong with it. */
import { UUID } from '@lumino/coreutils';
import * as React from 'react';

import { useStudio } from '../frame/context';

export interface IFilterBoxProps {
  label: string;
  placeholder: string;
  value: string;
  error: string | null;
  onSubmit(value: string): void;
}

/** Enter applies the filter, Escape takes it back. */
export const FilterBox = React.forwardRef<HTMLInputElement, IFilterBoxProps>(
  function FilterBox(props, ref) {
    const { trans } = useStudio();
    const [id] = React.useState(() => `atelier-${UUID.uuid4()}`);
    const [text, setText] = React.useState(props.value);
    React.useEffect(() => setText(props.value), [props.value]);
    return (
      <form
        role="search"
        className="atelier-Filter"
        onSubmit={event => {
          event.preventDefault();
          props.onSubmit(text.trim());
        }}
      >
        <input
          ref={ref}
          type="text"
          spellCheck={false}
          aria-label={props.label}
          aria-invalid={props.error !== null}
          aria-describedby={props.error ? id : undefined}
          placeholder={props.placeholder}
          value={text}
          onChange={event => setText(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Escape') {
              event.preventDefault();
              setText('');
              props.onSubmit('');
            }
          }}
        />
        <button type="submit" className="atelier-Button" data-kind="plain">
          {trans.__('Filter')}
        </button>
        {props.error && (
          <div id={id} className="atelier-Filter-error" role="alert">
            {props.error}
          </div>
        )}
      </form>
    );
  }
);
