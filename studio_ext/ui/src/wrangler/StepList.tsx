/** The sources and steps of a recipe, in their order: what each does, what comes out, what is wrong. */
import { caretDownEmptyIcon, ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { formatCount, IMenuItem, openMenu, StateMark } from '../components';
import { useStudio } from '../frame/context';

export interface IStepListProps {
  parts: api.PartReport[];
  /** What somebody has written about steps. */
  notes: { [id: string]: string };
  selected: string | null;
  onSelect(id: string): void;
  onEdit(id: string): void;
  menuOf(part: api.PartReport): IMenuItem[];
  onAdd(): void;
  onAddSource(): void;
}

export function StepList(props: IStepListProps): React.ReactElement {
  const { trans } = useStudio();
  const list = React.useRef<HTMLOListElement>(null);
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const place = props.parts.findIndex(part => part.id === props.selected);
    const next = step ? props.parts[place + step] : undefined;
    if (next) {
      event.preventDefault();
      props.onSelect(next.id);
      const buttons = list.current?.querySelectorAll<HTMLButtonElement>(
        '.atelier-Step-select'
      );
      buttons?.[place + (step ?? 0)]?.focus();
    }
  };
  return (
    <nav className="atelier-Steps" aria-label={trans.__('Steps')}>
      <ol ref={list} onKeyDown={onKeyDown}>
        {props.parts.map(part => (
          <StepItem key={part.id} part={part} {...props} />
        ))}
      </ol>
      <div className="atelier-Steps-add">
        <button
          type="button"
          className="atelier-Button"
          data-kind="primary"
          disabled={props.parts.length === 0}
          onClick={props.onAdd}
        >
          {trans.__('Add step')}
        </button>
        <button
          type="button"
          className="atelier-Button"
          onClick={props.onAddSource}
        >
          {trans.__('Add table')}
        </button>
      </div>
    </nav>
  );
}

function StepItem(
  props: IStepListProps & { part: api.PartReport }
): React.ReactElement {
  const { trans } = useStudio();
  const { part } = props;
  const isSelected = part.id === props.selected;
  const items = props.menuOf(part);
  return (
    <li
      className="atelier-Step"
      data-state={stateOf(part)}
      data-selected={isSelected || undefined}
    >
      <button
        type="button"
        className="atelier-Step-select"
        aria-current={isSelected ? 'step' : undefined}
        title={part.error ?? part.sentence}
        onClick={() => props.onSelect(part.id)}
        onDoubleClick={() => props.onEdit(part.id)}
      >
        <span className="atelier-Step-title">{part.title}</span>
        <span className="atelier-Step-sentence">{part.sentence}</span>
        {props.notes[part.id] && (
          <span className="atelier-Step-note">{props.notes[part.id]}</span>
        )}
        <span className="atelier-muted atelier-Step-facts">
          {factsOf(part, trans)}
        </span>
      </button>
      <span className="atelier-Step-marks">
        {part.error && <StateMark tone="bad" label={part.error} />}
        {part.blocked_by && (
          <StateMark
            tone="wait"
            label={trans.__('Waits until step %1 is mended', part.blocked_by)}
          />
        )}
        {part.warnings.length + part.rejected > 0 && (
          <StateMark
            tone="warn"
            label={[
              ...(part.rejected
                ? [trans.__('%1 rows could not be read', part.rejected)]
                : []),
              ...part.warnings
            ].join('\n')}
          />
        )}
      </span>
      <button
        type="button"
        className="atelier-IconButton"
        aria-haspopup="menu"
        aria-label={trans.__('What can be done with %1', part.sentence)}
        title={trans.__('More')}
        onClick={event => openMenu(event.currentTarget, items)}
      >
        <ellipsesIcon.react tag="span" width="16px" aria-hidden />
      </button>
      {isSelected && (
        <caretDownEmptyIcon.react
          tag="span"
          className="atelier-Step-caret"
          aria-hidden
        />
      )}
    </li>
  );
}

function stateOf(part: api.PartReport): string {
  if (!part.is_enabled) {
    return 'off';
  }
  return part.error ? 'broken' : part.blocked_by ? 'blocked' : 'good';
}

/** What comes out, in a few words: rows are those of the first look unless the table is no larger. */
function factsOf(
  part: api.PartReport,
  trans: ReturnType<typeof useStudio>['trans']
): string {
  if (!part.is_enabled) {
    return trans.__('Turned off');
  }
  if (part.error) {
    return part.kind === 'source'
      ? trans.__('Could not be read')
      : part.family === null
        ? trans.__('Not known here')
        : trans.__('Does not fit');
  }
  if (part.rows === null || part.rows === undefined) {
    return '';
  }
  const rows = part.is_whole
    ? trans.__('%1 rows', formatCount(part.rows))
    : trans.__('first %1 rows', formatCount(part.rows));
  const learned = part.learns
    ? part.is_fitted
      ? trans.__(' · fitted')
      : trans.__(' · not fitted')
    : '';
  return `${rows} × ${part.columns.length}${learned}`;
}
