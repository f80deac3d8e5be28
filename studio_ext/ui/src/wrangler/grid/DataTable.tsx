/** The grid: a canvas over windows of Arrow, with a chart in the header of each column. */
import {
  BasicKeyHandler,
  BasicMouseHandler,
  BasicSelectionModel,
  DataGrid,
  TextRenderer
} from '@lumino/datagrid';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { useStudio } from '../../frame/context';
import type { ISelection } from './copying';
import { GridModel, IGridSource, IProfile } from './model';
import {
  barAt,
  BodyRenderer,
  HEADER_HEIGHT,
  HeaderRenderer,
  IBar,
  IPalette
} from './renderers';

/** Columns in sight beyond which a profile is not asked for at once. */
const PROFILED_AT_ONCE = 24;

export interface IDataTableProps {
  label: string;
  source: IGridSource;
  profiles: Map<string, IProfile>;
  /** Asked for the columns that are in sight and have no profile yet. */
  onProfile?(columns: string[]): void;
  sortOf(column: string): 'up' | 'down' | null;
  /** The header of a column was clicked. */
  onHeader?(column: string, anchor: { x: number; y: number }): void;
  /** A bar of the chart in a header was clicked. */
  onBar?(column: string, bar: IBar): void;
  /** A cell was double-clicked. */
  onCell?(row: number, column: string): void;
  /** The selected cells are to be copied. */
  onCopy?(selection: ISelection): void;
  onError?(reason: unknown): void;
  /** A row to bring into sight; a new object each time. */
  jump?: { row?: number; column?: number } | null;
}

export function DataTable(props: IDataTableProps): React.ReactElement {
  const studio = useStudio();
  const host = React.useRef<HTMLDivElement>(null);
  const grid = React.useRef<DataGrid | null>(null);
  const askProfiles = React.useRef<() => void>(() => undefined);
  const latest = React.useRef(props);
  latest.current = props;
  const { source, profiles } = props;

  React.useLayoutEffect(() => {
    const node = host.current;
    if (!node) {
      return;
    }
    const table = new DataGrid({
      defaultSizes: {
        rowHeight: 24,
        columnWidth: 140,
        rowHeaderWidth: rowHeaderWidth(source.rowCount),
        columnHeaderHeight: HEADER_HEIGHT
      },
      minimumSizes: {
        rowHeight: 20,
        columnWidth: 60,
        rowHeaderWidth: 32,
        columnHeaderHeight: 24
      },
      headerVisibility: 'all',
      stretchLastColumn: false
    });
    const model = new GridModel(source);
    model.onWaiting = isWaiting =>
      node.setAttribute('aria-busy', String(isWaiting));
    model.onError = reason => latest.current.onError?.(reason);
    table.dataModel = model;
    table.selectionModel = new BasicSelectionModel({ dataModel: model });
    table.keyHandler = new CopyKeys(latest);
    table.mouseHandler = new HeaderMouse(latest);
    const paint = () => {
      const palette = readPalette(node);
      paintGrid(table, node, palette);
      table.cellRenderers.update({
        body: new BodyRenderer(model, palette),
        'column-header': new HeaderRenderer(
          source.columns,
          latest.current.profiles,
          palette,
          column => latest.current.sortOf(column)
        )
      });
    };
    paint();
    Widget.attach(table, node);
    grid.current = table;
    studio.themeChanged.connect(paint);
    const observer = new ResizeObserver(() => table.fit());
    observer.observe(node);
    const ask = () => {
      const first = table.columnAt('body', table.scrollX);
      const last = table.columnAt('body', table.scrollX + table.viewportWidth);
      const from = Math.max(first, 0);
      const to = last < 0 ? source.columns.length - 1 : last;
      const names = source.columns
        .slice(from, to + 1)
        .map(({ name }) => name)
        .filter(name => !latest.current.profiles.has(name))
        .slice(0, PROFILED_AT_ONCE);
      if (names.length) {
        latest.current.onProfile?.(names);
      }
    };
    const onMove = () => window.requestAnimationFrame(ask);
    const moves = ['wheel', 'keyup', 'pointerup'];
    moves.forEach(one => node.addEventListener(one, onMove, { passive: true }));
    askProfiles.current = onMove;
    const timer = window.setTimeout(ask, 0);
    return () => {
      window.clearTimeout(timer);
      moves.forEach(one => node.removeEventListener(one, onMove));
      observer.disconnect();
      studio.themeChanged.disconnect(paint);
      grid.current = null;
      model.dispose();
      Widget.detach(table);
      table.dispose();
    };
  }, [source, studio]);

  // Charts come while the grid stands; the map is the same, its content is new.
  React.useEffect(() => {
    const table = grid.current;
    const node = host.current;
    if (table && node) {
      const palette = readPalette(node);
      table.cellRenderers.update({
        'column-header': new HeaderRenderer(
          source.columns,
          profiles,
          palette,
          column => latest.current.sortOf(column)
        )
      });
    }
  }, [profiles, source]);

  React.useEffect(() => {
    const table = grid.current;
    if (table && props.jump) {
      const { row = -1, column } = props.jump;
      table.scrollTo(
        column === undefined
          ? table.scrollX
          : table.columnOffset('body', column),
        row < 0 ? table.scrollY : table.rowOffset('body', row)
      );
      askProfiles.current();
      if (row < 0) {
        return;
      }
      table.selectionModel?.select({
        r1: row,
        c1: column ?? 0,
        r2: row,
        c2: column ?? source.columns.length - 1,
        cursorRow: row,
        cursorColumn: column ?? 0,
        clear: 'all'
      });
    }
  }, [props.jump, source]);

  return (
    <div
      ref={host}
      className="atelier-Rows-canvas"
      role="img"
      aria-label={props.label}
      onDoubleClick={event => {
        const table = grid.current;
        const hit = table?.hitTest(event.clientX, event.clientY);
        if (table && hit?.region === 'body') {
          latest.current.onCell?.(hit.row, source.columns[hit.column].name);
        }
      }}
    />
  );
}

/** Keys that move, and copy what is selected: Lumino would copy only the cells that are here, the others as empty. */
class CopyKeys extends BasicKeyHandler {
  constructor(private readonly _props: { current: IDataTableProps }) {
    super();
  }

  protected onKeyC(grid: DataGrid, event: KeyboardEvent): void {
    const [selection] = grid.selectionModel?.selections() ?? [];
    const isCopy = (event.ctrlKey || event.metaKey) && !event.shiftKey;
    if (!selection || !isCopy) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this._props.current.onCopy?.(selection);
  }
}

/** A mouse that tells of clicks on headers, and otherwise selects and resizes. */
class HeaderMouse extends BasicMouseHandler {
  constructor(private readonly _props: { current: IDataTableProps }) {
    super();
  }

  onMouseUp(grid: DataGrid, event: MouseEvent): void {
    const moved =
      Math.abs(event.clientX - this._downX) +
      Math.abs(event.clientY - this._downY);
    super.onMouseUp(grid, event);
    const hit = grid.hitTest(event.clientX, event.clientY);
    if (hit.region !== 'column-header' || moved > 3 || event.button !== 0) {
      return;
    }
    const { source, profiles, onBar, onHeader } = this._props.current;
    const { name } = source.columns[hit.column];
    const bar = barAt(profiles.get(name), hit.x, hit.y, hit.width);
    if (bar && onBar) {
      onBar(name, bar);
    } else {
      onHeader?.(name, { x: event.clientX, y: event.clientY });
    }
  }

  onMouseDown(grid: DataGrid, event: MouseEvent): void {
    this._downX = event.clientX;
    this._downY = event.clientY;
    super.onMouseDown(grid, event);
  }

  private _downX = 0;
  private _downY = 0;
}

function rowHeaderWidth(rows: number): number {
  return 24 + 8 * rows.toLocaleString('en').length;
}

function readPalette(node: HTMLElement): IPalette {
  const style = getComputedStyle(node);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    font: `${read('--jp-ui-font-size1') || '13px'} ${read('--jp-ui-font-family') || 'sans-serif'}`,
    text: read('--jp-ui-font-color1'),
    muted: read('--jp-ui-font-color2'),
    line: read('--jp-border-color2'),
    accent: read('--jp-brand-color1'),
    bar: read('--jp-brand-color2'),
    good: read('--jp-success-color1'),
    warn: read('--jp-warn-color1'),
    bad: read('--jp-error-color1'),
    changed: read('--jp-warn-color3')
  };
}

function paintGrid(grid: DataGrid, node: HTMLElement, palette: IPalette): void {
  const style = getComputedStyle(node);
  const read = (name: string) => style.getPropertyValue(name).trim();
  grid.style = {
    ...DataGrid.defaultStyle,
    voidColor: read('--jp-layout-color1'),
    backgroundColor: read('--jp-layout-color1'),
    gridLineColor: read('--jp-border-color3'),
    headerBackgroundColor: read('--jp-layout-color2'),
    headerGridLineColor: read('--jp-border-color2'),
    selectionBorderColor: palette.accent,
    cursorBorderColor: palette.accent,
    headerSelectionBorderColor: palette.accent
  };
  const muted = new TextRenderer({
    font: palette.font,
    textColor: palette.muted,
    horizontalAlignment: 'right'
  });
  grid.cellRenderers.update({ 'row-header': muted, 'corner-header': muted });
}
