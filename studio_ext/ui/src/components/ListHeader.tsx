/** The head of a list: names of columns, which are buttons where the server can sort. */
import * as React from 'react';

import { useStudio } from '../frame/context';
import type { IChecks, IColumn, ISort } from './List';

/** The narrowest and the widest that a column is made, in pixels. */
const NARROWEST = 48;
const WIDEST = 1200;
/** How far a press of an arrow key moves the edge of a column. */
const STEP = 16;

export interface IListHeaderProps<T> {
  columns: IColumn<T>[];
  style: React.CSSProperties;
  sort: ISort | null;
  onSort?(sort: ISort | null): void;
  checks?: IChecks<T>;
  onResize?(column: string, width: number): void;
  onColumnMenu?(column: IColumn<T>, anchor: HTMLElement): void;
}

export function ListHeader<T>(props: IListHeaderProps<T>): React.ReactElement {
  return (
    <div role="rowgroup" className="atelier-List-head">
      <div
        role="row"
        aria-rowindex={1}
        className="atelier-List-headRow"
        style={props.style}
      >
        {props.columns.map((column, index) => (
          <HeaderCell
            key={column.id}
            column={column}
            isFirst={index === 0}
            {...props}
          />
        ))}
      </div>
    </div>
  );
}

function HeaderCell<T>(
  props: IListHeaderProps<T> & { column: IColumn<T>; isFirst: boolean }
): React.ReactElement {
  const { trans } = useStudio();
  const { column, sort, onSort, onColumnMenu, checks } = props;
  const key = column.sortKey;
  const isSorted = key !== undefined && sort?.key === key;
  const order = isSorted
    ? sort.isDescending
      ? 'descending'
      : 'ascending'
    : 'none';
  return (
    <div
      role="columnheader"
      className="atelier-List-cell"
      data-number={column.isNumber || undefined}
      aria-sort={key && onSort ? order : undefined}
      title={column.label}
    >
      {props.isFirst && checks && <CheckAll checks={checks} />}
      {key && onSort ? (
        <button
          type="button"
          className="atelier-TextButton atelier-ellipsis"
          onClick={() => onSort(nextSort(key, sort, column.isNumber))}
        >
          {column.label}
          {isSorted && (
            <span aria-hidden="true">{sort.isDescending ? ' ↓' : ' ↑'}</span>
          )}
        </button>
      ) : (
        column.label
      )}
      {onColumnMenu && (
        <button
          type="button"
          className="atelier-List-menu"
          aria-haspopup="menu"
          aria-label={trans.__('Column %1', column.label)}
          onClick={event => onColumnMenu(column, event.currentTarget)}
        >
          <span aria-hidden="true">⋮</span>
        </button>
      )}
      {props.onResize && <Edge column={column} onResize={props.onResize} />}
    </div>
  );
}

function CheckAll<T>(props: { checks: IChecks<T> }): React.ReactElement {
  const { trans } = useStudio();
  const { state, onCheckAll } = props.checks;
  const box = React.useRef<HTMLInputElement>(null);
  React.useLayoutEffect(() => {
    if (box.current) {
      box.current.indeterminate = state === 'some';
    }
  }, [state]);
  return (
    <span className="atelier-List-lead">
      <input
        ref={box}
        type="checkbox"
        aria-label={trans.__('Select all')}
        checked={state === 'all'}
        onChange={onCheckAll}
      />
    </span>
  );
}

/** The right edge of a column, which is dragged, or moved by the arrow keys. */
function Edge<T>(props: {
  column: IColumn<T>;
  onResize(column: string, width: number): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { column, onResize } = props;
  const resize = (width: number) =>
    onResize(
      column.id,
      Math.round(Math.max(NARROWEST, Math.min(WIDEST, width)))
    );
  const onPointerDown = (event: React.PointerEvent<HTMLElement>) => {
    const edge = event.currentTarget;
    const from = event.clientX;
    const width = edge.parentElement?.offsetWidth ?? column.width;
    event.preventDefault();
    edge.setPointerCapture(event.pointerId);
    const onMove = (move: PointerEvent) => resize(width + move.clientX - from);
    const onEnd = () => {
      edge.removeEventListener('pointermove', onMove);
      edge.removeEventListener('pointerup', onEnd);
      edge.removeEventListener('pointercancel', onEnd);
    };
    edge.addEventListener('pointermove', onMove);
    edge.addEventListener('pointerup', onEnd);
    edge.addEventListener('pointercancel', onEnd);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (step) {
      event.preventDefault();
      resize(column.width + step);
    }
  };
  return (
    <span
      role="separator"
      aria-orientation="vertical"
      aria-label={trans.__('Width of %1', column.label)}
      aria-valuenow={column.width}
      aria-valuemin={NARROWEST}
      aria-valuemax={WIDEST}
      tabIndex={0}
      className="atelier-List-edge"
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}

/** What the next click on a header sorts by: numbers from the largest first, texts from A; then turned; then not. */
export function nextSort(
  key: string,
  sort: ISort | null,
  isNumber = false
): ISort | null {
  if (sort?.key !== key) {
    return { key, isDescending: isNumber };
  }
  return sort.isDescending === isNumber
    ? { key, isDescending: !isNumber }
    : null;
}
