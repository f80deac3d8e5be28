/** A table of any length: it draws the rows in sight, and asks for more when the end comes near. */
import { UUID } from '@lumino/coreutils';
import * as React from 'react';

import { useStudio } from '../frame/context';
import { ListHeader } from './ListHeader';
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
}

export interface ISort {
  key: string;
  isDescending: boolean;
}

export interface IListProps<T> {
  label: string;
  items: T[];
  columns: IColumn<T>[];
  identify(item: T): string;
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
}

export function List<T>(props: IListProps<T>): React.ReactElement {
  const { trans } = useStudio();
  const { items, columns, identify } = props;
  const [prefix] = React.useState(() => `atelier-${UUID.uuid4()}`);
  const [active, setActive] = React.useState<string | null>(null);
  const [scrollTop, setScrollTop] = React.useState(0);
  const view = React.useRef<HTMLDivElement>(null);
  const viewHeight = useHeight(view);
  const bodyHeight = Math.max(ROW_HEIGHT, viewHeight - ROW_HEIGHT);

  const { start, end } = windowOf(
    scrollTop,
    bodyHeight,
    ROW_HEIGHT,
    items.length
  );
  const { hasMore, isLoadingMore, onLoadMore } = props;
  React.useEffect(() => {
    if (hasMore && !isLoadingMore && end >= items.length) {
      onLoadMore?.();
    }
  }, [hasMore, isLoadingMore, onLoadMore, end, items.length]);

  const activeIndex = Math.max(
    0,
    items.findIndex(item => identify(item) === (active ?? props.selected))
  );

  const moveTo = (index: number) => {
    const node = view.current;
    setActive(identify(items[index]));
    if (node) {
      const top = scrollToRow(index, node.scrollTop, bodyHeight, ROW_HEIGHT);
      node.scrollTop = top;
      setScrollTop(top);
    }
  };
  const onKeyDown = (event: React.KeyboardEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget || hasModifier(event)) {
      return;
    }
    if (event.key === '/' && props.onFilterKey) {
      event.preventDefault();
      props.onFilterKey();
      return;
    }
    if (items.length === 0) {
      return;
    }
    const page = Math.max(1, Math.floor(bodyHeight / ROW_HEIGHT) - 1);
    const target = rowOfKey(event.key, activeIndex, items.length, page);
    const item = items[activeIndex];
    if (target !== null) {
      event.preventDefault();
      moveTo(target);
      if (props.selected) {
        props.onSelect?.(items[target]);
      }
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
    }
  };

  const widths = columns.map(({ width }, index) =>
    index === 0 ? `minmax(${width}px, 1fr)` : `${width}px`
  );
  const grid: React.CSSProperties = {
    gridTemplateColumns: widths.join(' '),
    minWidth: columns.reduce((sum, { width }) => sum + width, 0)
  };
  const rowId = (index: number) => `${prefix}-row-${index}`;

  return (
    <div
      ref={view}
      className="atelier-List"
      role="grid"
      aria-label={props.label}
      aria-rowcount={hasMore ? -1 : items.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={items.length ? rowId(activeIndex) : undefined}
      aria-busy={isLoadingMore || undefined}
      tabIndex={0}
      onScroll={event => setScrollTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <ListHeader
        columns={columns}
        style={grid}
        sort={props.sort ?? null}
        onSort={props.onSort}
      />
      <div
        role="rowgroup"
        className="atelier-List-body"
        style={{
          height: items.length * ROW_HEIGHT,
          minWidth: grid.minWidth
        }}
      >
        {items.slice(start, end).map((item, offset) => {
          const index = start + offset;
          const id = identify(item);
          return (
            <div
              key={id}
              id={rowId(index)}
              role="row"
              className="atelier-List-row"
              aria-rowindex={index + 2}
              aria-selected={id === props.selected}
              data-active={index === activeIndex || undefined}
              data-id={id}
              style={{ ...grid, top: index * ROW_HEIGHT, height: ROW_HEIGHT }}
              onClick={() => {
                setActive(id);
                props.onSelect?.(item);
              }}
              onDoubleClick={() => props.onOpen?.(item)}
            >
              {columns.map(column => (
                <div
                  key={column.id}
                  role="gridcell"
                  className="atelier-List-cell"
                  data-number={column.isNumber || undefined}
                  title={column.title?.(item)}
                >
                  {column.render(item)}
                </div>
              ))}
            </div>
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

function hasModifier(event: React.KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey || event.altKey;
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
