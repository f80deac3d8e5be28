/** A table of any length: it draws the rows in sight, and asks for more when the end comes near. */
import { UUID } from '@lumino/coreutils';
import * as React from 'react';

import { useStudio } from '../frame/context';
import { ListHeader } from './ListHeader';
import { IBranch, IRowActions, ListRow } from './ListRow';
import { IRows, rowsOf } from './rows';
import { rowOfKey, scrollToRow, windowOf } from './window';

export const ROW_HEIGHT = 30;

export interface IColumn<T> {
  id: string;
  label: string;
  /** Width in pixels; the first column also takes what is left. */
  width: number;
  isNumber?: boolean;
  /** What the server sorts by; without it the column cannot be sorted. */
  sortKey?: string;
  render(item: T): React.ReactNode;
  /** The whole text, for the hover. */
  title?(item: T): string | undefined;
  /** Whether the item has the best value of this column. */
  isBest?(item: T): boolean;
}

export interface ISort {
  key: string;
  isDescending: boolean;
}

/** Rows that are chosen for something to be done with all of them. */
export interface IChecks<T> {
  /** Undefined for a row that cannot be chosen. */
  isChecked(item: T): boolean | undefined;
  /** `from` is the other end of a range of rows. */
  onCheck(item: T, index: number, from: number | null): void;
  onCheckAll(): void;
  state: 'none' | 'some' | 'all';
}

/** Rows inside rows. */
export interface ITree<T> {
  branch(item: T): IBranch;
  onToggle(item: T): void;
}

export interface IListProps<T> {
  label: string;
  /** All items at hand, or where they come from. */
  items: T[] | IRows<T>;
  columns: IColumn<T>[];
  identify(item: T): string;
  /** What a row is called in the labels of its controls. */
  nameOf?(item: T): string;
  selected?: string | null;
  onSelect?(item: T | null): void;
  onOpen?(item: T): void;
  sort?: ISort | null;
  onSort?(sort: ISort | null): void;
  hasMore?: boolean;
  isLoadingMore?: boolean;
  onLoadMore?(): void;
  /** Called when `/` is pressed. */
  onFilterKey?(): void;
  checks?: IChecks<T>;
  tree?: ITree<T>;
  /** Whether the item has just changed, which is shown for a moment. */
  isFresh?(item: T): boolean;
  onResize?(column: string, width: number): void;
  onColumnMenu?(column: IColumn<T>, anchor: HTMLElement): void;
}

export function List<T>(props: IListProps<T>): React.ReactElement {
  const { trans } = useStudio();
  const { columns, identify, checks, tree } = props;
  const rows = React.useMemo(
    () =>
      Array.isArray(props.items) ? rowsOf(props.items, identify) : props.items,
    [props.items]
  );
  const [prefix] = React.useState(() => `atelier-${UUID.uuid4()}`);
  const [active, setActive] = React.useState({ id: '', index: 0 });
  const [scrollTop, setScrollTop] = React.useState(0);
  const view = React.useRef<HTMLDivElement>(null);
  const anchor = React.useRef<number | null>(null);
  const viewHeight = useHeight(view);
  const bodyHeight = Math.max(ROW_HEIGHT, viewHeight - ROW_HEIGHT);

  const { start, end } = windowOf(
    scrollTop,
    bodyHeight,
    ROW_HEIGHT,
    rows.length
  );
  const { hasMore, isLoadingMore, onLoadMore } = props;
  React.useEffect(() => {
    if (hasMore && !isLoadingMore && end >= rows.length) {
      onLoadMore?.();
    }
  }, [hasMore, isLoadingMore, onLoadMore, end, rows.length]);
  React.useLayoutEffect(() => rows.show?.(start, end), [rows, start, end]);

  const activeIndex = Math.max(0, placeOf(rows, active, props.selected));

  const moveTo = (index: number) => {
    const node = view.current;
    const item = rows.row(index);
    setActive({ id: item === undefined ? '' : identify(item), index });
    if (node) {
      const top = scrollToRow(index, node.scrollTop, bodyHeight, ROW_HEIGHT);
      node.scrollTop = top;
      setScrollTop(top);
    }
  };
  const check = (item: T, index: number, isRange: boolean) => {
    checks?.onCheck(item, index, isRange ? anchor.current : null);
    anchor.current = index;
  };
  const onKeyDown = (event: React.KeyboardEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget) {
      return;
    }
    const item = rows.row(activeIndex);
    const isCommand = event.ctrlKey || event.metaKey;
    if (checks && isCommand && event.key === 'a') {
      event.preventDefault();
      checks.onCheckAll();
      return;
    }
    if (checks && item && event.key === ' ' && (isCommand || event.shiftKey)) {
      event.preventDefault();
      check(item, activeIndex, event.shiftKey);
      return;
    }
    if (isCommand || event.altKey) {
      return;
    }
    if (event.key === '/' && props.onFilterKey) {
      event.preventDefault();
      props.onFilterKey();
      return;
    }
    if (rows.length === 0) {
      return;
    }
    const branch = tree && item ? tree.branch(item) : null;
    const page = Math.max(1, Math.floor(bodyHeight / ROW_HEIGHT) - 1);
    const target = rowOfKey(event.key, activeIndex, rows.length, page);
    if (target !== null) {
      event.preventDefault();
      moveTo(target);
      const next = rows.row(target);
      if (props.selected && next !== undefined) {
        props.onSelect?.(next);
      }
    } else if (item === undefined) {
      return;
    } else if (event.key === 'Enter') {
      event.preventDefault();
      (props.onOpen ?? props.onSelect)?.(item);
    } else if (event.key === ' ') {
      event.preventDefault();
      const isSelected = props.selected === identify(item);
      props.onSelect?.(isSelected ? null : item);
    } else if (event.key === 'Escape' && props.selected) {
      event.preventDefault();
      props.onSelect?.(null);
    } else if (
      branch?.childCount &&
      event.key === (branch.isOpen ? 'ArrowLeft' : 'ArrowRight')
    ) {
      event.preventDefault();
      tree?.onToggle(item);
    }
  };

  const columnTemplate = columns
    .map(({ width }, index) =>
      index === 0 ? `minmax(${width}px, 1fr)` : `${width}px`
    )
    .join(' ');
  const minWidth = columns.reduce((sum, { width }) => sum + width, 0);
  const rowId = (index: number) => `${prefix}-row-${index}`;

  // One object for all rows and all times, so that a row is drawn again only when something of it changes.
  const latest = React.useRef<IRowActions<T>>(null as never);
  latest.current = {
    click: (item, index) => {
      setActive({ id: identify(item), index });
      props.onSelect?.(item);
    },
    open: item => props.onOpen?.(item),
    check,
    toggle: item => tree?.onToggle(item)
  };
  const actions = React.useMemo(
    (): IRowActions<T> => ({
      click: (item, index) => latest.current.click(item, index),
      open: item => latest.current.open(item),
      check: (item, index, isRange) =>
        latest.current.check(item, index, isRange),
      toggle: item => latest.current.toggle(item)
    }),
    []
  );

  return (
    <div
      ref={view}
      className="atelier-List"
      role={tree ? 'treegrid' : 'grid'}
      aria-label={props.label}
      aria-rowcount={hasMore ? -1 : rows.length + 1}
      aria-colcount={columns.length}
      aria-multiselectable={checks ? true : undefined}
      aria-activedescendant={rows.length ? rowId(activeIndex) : undefined}
      aria-busy={isLoadingMore || undefined}
      tabIndex={0}
      onScroll={event => setScrollTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <ListHeader
        columns={columns}
        style={{ gridTemplateColumns: columnTemplate, minWidth }}
        sort={props.sort ?? null}
        onSort={props.onSort}
        checks={checks}
        onResize={props.onResize}
        onColumnMenu={props.onColumnMenu}
      />
      <div
        role="rowgroup"
        className="atelier-List-body"
        style={{ height: rows.length * ROW_HEIGHT, minWidth }}
      >
        {Array.from({ length: end - start }, (_, offset) => {
          const index = start + offset;
          const item = rows.row(index);
          const id = item === undefined ? `row-${index}` : identify(item);
          return (
            <ListRow
              key={id}
              item={item}
              itemId={id}
              index={index}
              rowId={rowId(index)}
              columns={columns}
              columnTemplate={columnTemplate}
              minWidth={minWidth}
              height={ROW_HEIGHT}
              isSelected={id === props.selected}
              isActive={index === activeIndex}
              isFresh={(item !== undefined && props.isFresh?.(item)) || false}
              isChecked={
                item === undefined ? undefined : checks?.isChecked(item)
              }
              hasChecks={checks !== undefined}
              label={item === undefined ? '' : (props.nameOf?.(item) ?? id)}
              branch={tree && item !== undefined ? tree.branch(item) : null}
              actions={actions}
            />
          );
        })}
      </div>
      {isLoadingMore && (
        <div className="atelier-List-more" role="row">
          <div role="gridcell">{trans.__('Loading more…')}</div>
        </div>
      )}
    </div>
  );
}

/** Where the row that the keyboard stands on is now: where its item went, else where it was. */
function placeOf<T>(
  rows: IRows<T>,
  active: { id: string; index: number },
  selected: string | null | undefined
): number {
  const id = active.id || selected;
  const found = id ? rows.find(id) : -1;
  return found >= 0 ? found : Math.min(active.index, rows.length - 1);
}

/** The height of an element, followed while it changes. */
function useHeight(target: React.RefObject<HTMLElement>): number {
  const [height, setHeight] = React.useState(0);
  React.useLayoutEffect(() => {
    const node = target.current;
    if (!node) {
      return;
    }
    setHeight(node.clientHeight);
    if (typeof ResizeObserver === 'undefined') {
      return;
    }
    const observer = new ResizeObserver(() => setHeight(node.clientHeight));
    observer.observe(node);
    return () => observer.disconnect();
  }, [target]);
  return height;
}
