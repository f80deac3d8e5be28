/** The columns of a table: searched, hidden and shown, moved, jumped to. */
import * as React from 'react';

import { Button } from '../../components/Button';
import { useStudio } from '../../frame/context';
import {
  hideColumn,
  ILayout,
  inOrder,
  moveColumn,
  PLAIN_LAYOUT,
  showColumn
} from './layout';
import type { IGridColumn } from './model';

/** Lines that are drawn; the search finds the others. */
const SHOWN = 200;

export interface IColumnsPanelProps {
  columns: IGridColumn[];
  layout: ILayout;
  onLayout(layout: ILayout): void;
  onJump(name: string): void;
  onClose(): void;
}

export function ColumnsPanel(props: IColumnsPanelProps): React.ReactElement {
  const { trans } = useStudio();
  const { columns, layout, onLayout } = props;
  const [text, setText] = React.useState('');
  const found = inOrder(columns, layout).filter(({ name }) =>
    name.toLowerCase().includes(text.toLowerCase())
  );
  const hidden = new Set(layout.hidden);
  return (
    <div
      className="atelier-ColumnsPanel"
      role="dialog"
      aria-label={trans.__('Columns')}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          props.onClose();
        }
      }}
    >
      <div className="atelier-ColumnsPanel-head">
        <input
          type="search"
          autoFocus
          className="jp-mod-styled"
          aria-label={trans.__('Search columns')}
          placeholder={trans.__('Search columns')}
          value={text}
          onChange={event => setText(event.target.value)}
        />
        <Button
          label={trans.__('Reset')}
          isDisabled={layout === PLAIN_LAYOUT}
          onClick={() => onLayout(PLAIN_LAYOUT)}
        />
        <Button label={trans.__('Close')} onClick={props.onClose} />
      </div>
      <ul>
        {found.slice(0, SHOWN).map(({ name, kind }) => (
          <li key={name}>
            <label>
              <input
                type="checkbox"
                checked={!hidden.has(name)}
                onChange={event =>
                  onLayout(
                    event.target.checked
                      ? showColumn(layout, name)
                      : hideColumn(layout, name)
                  )
                }
              />
              <span className="atelier-ellipsis" title={name}>
                {name}
              </span>
              <span className="atelier-muted">{kind}</span>
            </label>
            {(
              [
                ['▲', -1, trans.__('Move %1 to the left', name)],
                ['▼', 1, trans.__('Move %1 to the right', name)]
              ] as const
            ).map(([sign, by, label]) => (
              <button
                key={sign}
                type="button"
                className="atelier-IconButton"
                aria-label={label}
                title={label}
                disabled={hidden.has(name)}
                onClick={() => onLayout(moveColumn(columns, layout, name, by))}
              >
                {sign}
              </button>
            ))}
            <button
              type="button"
              className="atelier-TextButton"
              disabled={hidden.has(name)}
              aria-label={trans.__('Go to %1', name)}
              onClick={() => props.onJump(name)}
            >
              {trans.__('Go to')}
            </button>
          </li>
        ))}
      </ul>
      {found.length > SHOWN && (
        <p className="atelier-muted">
          {trans.__('%1 more; search for them.', found.length - SHOWN)}
        </p>
      )}
    </div>
  );
}
