/** The head of a list: names of columns, which are buttons where the server can sort. */
import * as React from 'react';

import type { IColumn, ISort } from './List';

export interface IListHeaderProps<T> {
  columns: IColumn<T>[];
  style: React.CSSProperties;
  sort: ISort | null;
  onSort?(sort: ISort | null): void;
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
        {props.columns.map(column => (
          <HeaderCell key={column.id} column={column} {...props} />
        ))}
      </div>
    </div>
  );
}

function HeaderCell<T>(
  props: IListHeaderProps<T> & { column: IColumn<T> }
): React.ReactElement {
  const { column, sort, onSort } = props;
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
    </div>
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
