/** One row of a list, drawn again only when something of it changes. */
import * as React from 'react';

import { useStudio } from '../frame/context';
import type { IColumn } from './List';

/** A row's place in a tree. */
export interface IBranch {
  /** How deep the row stands, from 0. */
  depth: number;
  /** Rows directly inside it; it can be opened if there are any. */
  childCount: number;
  isOpen: boolean;
}

export interface IListRowProps<T> {
  item: T | undefined;
  itemId: string;
  index: number;
  rowId: string;
  columns: IColumn<T>[];
  columnTemplate: string;
  minWidth: number;
  height: number;
  isSelected: boolean;
  isActive: boolean;
  isFresh: boolean;
  /** Undefined if rows are not checked in this list, or this row cannot be. */
  isChecked?: boolean;
  hasChecks: boolean;
  label: string;
  branch: IBranch | null;
  actions: IRowActions<T>;
}

/** What can be done with a row; one object for all rows of a list. */
export interface IRowActions<T> {
  click(item: T, index: number): void;
  open(item: T): void;
  check(item: T, index: number, isRange: boolean): void;
  toggle(item: T): void;
}

function DrawnRow<T>(props: IListRowProps<T>): React.ReactElement {
  const { item, index, branch, actions } = props;
  return (
    <div
      id={props.rowId}
      role="row"
      className="atelier-List-row"
      aria-rowindex={index + 2}
      aria-selected={props.isSelected || props.isChecked || false}
      aria-level={branch ? branch.depth + 1 : undefined}
      aria-expanded={branch && branch.childCount ? branch.isOpen : undefined}
      aria-busy={item === undefined || undefined}
      data-active={props.isActive || undefined}
      data-fresh={props.isFresh || undefined}
      data-id={props.itemId}
      style={{
        gridTemplateColumns: props.columnTemplate,
        minWidth: props.minWidth,
        top: index * props.height,
        height: props.height
      }}
      onClick={() => item !== undefined && actions.click(item, index)}
      onDoubleClick={() => item !== undefined && actions.open(item)}
    >
      {props.columns.map((column, place) => (
        <div
          key={column.id}
          role="gridcell"
          className="atelier-List-cell"
          data-number={column.isNumber || undefined}
          data-best={(item !== undefined && column.isBest?.(item)) || undefined}
          title={item === undefined ? undefined : column.title?.(item)}
        >
          {place === 0 && (props.hasChecks || branch) && (
            <Lead {...(props as IListRowProps<unknown>)} />
          )}
          {item === undefined ? (
            <span className="atelier-List-blank" aria-hidden="true" />
          ) : (
            column.render(item)
          )}
        </div>
      ))}
    </div>
  );
}

/** What stands before the first cell's text: a box to check, and the twisty of a branch. */
function Lead(props: IListRowProps<unknown>): React.ReactElement {
  const { trans } = useStudio();
  const { item, branch, actions } = props;
  return (
    <span
      className="atelier-List-lead"
      style={{ paddingLeft: (branch?.depth ?? 0) * 16 }}
    >
      {props.hasChecks && (
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={trans.__('Select %1', props.label)}
          checked={props.isChecked ?? false}
          disabled={props.isChecked === undefined}
          onClick={event => {
            event.stopPropagation();
            if (item !== undefined) {
              actions.check(item, props.index, event.shiftKey);
            }
          }}
          onChange={() => undefined}
        />
      )}
      {branch && (
        <button
          type="button"
          tabIndex={-1}
          className="atelier-List-twisty"
          hidden={!branch.childCount}
          aria-label={
            branch.isOpen
              ? trans.__('Close %1', props.label)
              : trans.__('Open %1, %2 runs', props.label, branch.childCount)
          }
          onClick={event => {
            event.stopPropagation();
            if (item !== undefined) {
              actions.toggle(item);
            }
          }}
        >
          <span aria-hidden="true">{branch.isOpen ? '▾' : '▸'}</span>
        </button>
      )}
    </span>
  );
}

export const ListRow = React.memo(DrawnRow, (before, after) => {
  const keys = Object.keys(after) as (keyof IListRowProps<unknown>)[];
  return keys.every(key =>
    key === 'branch'
      ? before.branch?.depth === after.branch?.depth &&
        before.branch?.childCount === after.branch?.childCount &&
        before.branch?.isOpen === after.branch?.isOpen
      : before[key] === after[key]
  );
}) as typeof DrawnRow;
