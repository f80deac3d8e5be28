/** A large table on a canvas, with a plain table of its first rows for those who do not see a canvas. */
import {
  BasicKeyHandler,
  BasicMouseHandler,
  BasicSelectionModel,
  DataGrid,
  TextRenderer
} from '@lumino/datagrid';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { useStudio } from '../frame/context';
import { BlockModel, IBlockSource } from './blocks';
import { formatCell } from './format';

/** Rows of the plain table. */
const PLAIN_ROWS = 200;

export interface IGridProps {
  label: string;
  source: IBlockSource;
  height?: number;
}

export function Grid(props: IGridProps): React.ReactElement {
  const { trans } = useStudio();
  const [isPlain, setPlain] = React.useState(false);
  return (
    <section className="atelier-Grid" aria-label={props.label}>
      <div className="atelier-Grid-bar">
        <span className="atelier-muted">
          {trans.__(
            '%1 rows, %2 columns',
            props.source.rowCount,
            props.source.columns.length
          )}
        </span>
        <button
          type="button"
          className="atelier-TextButton"
          aria-pressed={isPlain}
          onClick={() => setPlain(!isPlain)}
        >
          {trans.__('View as table')}
        </button>
      </div>
      {isPlain ? <PlainTable {...props} /> : <CanvasGrid {...props} />}
    </section>
  );
}

function CanvasGrid(props: IGridProps): React.ReactElement {
  const studio = useStudio();
  const host = React.useRef<HTMLDivElement>(null);
  const { source } = props;
  // A layout effect: its cleanup runs while the element is still in the document, as Lumino wants it.
  React.useLayoutEffect(() => {
    const node = host.current;
    if (!node) {
      return;
    }
    const grid = new DataGrid({
      defaultSizes: {
        rowHeight: 24,
        columnWidth: 120,
        rowHeaderWidth: 48,
        columnHeaderHeight: 26
      },
      minimumSizes: {
        rowHeight: 20,
        columnWidth: 40,
        rowHeaderWidth: 32,
        columnHeaderHeight: 20
      },
      headerVisibility: 'all'
    });
    const model = new BlockModel(source);
    grid.dataModel = model;
    grid.selectionModel = new BasicSelectionModel({ dataModel: model });
    grid.keyHandler = new BasicKeyHandler();
    grid.mouseHandler = new BasicMouseHandler();
    const paint = () => paintGrid(grid, node);
    paint();
    Widget.attach(grid, node);
    grid.fitColumnNames('all');
    studio.themeChanged.connect(paint);
    const observer = new ResizeObserver(() => grid.fit());
    observer.observe(node);
    return () => {
      observer.disconnect();
      studio.themeChanged.disconnect(paint);
      Widget.detach(grid);
      grid.dispose();
    };
  }, [source, studio]);
  const rows = Math.min(source.rowCount + 2, 16);
  return (
    <div
      ref={host}
      className="atelier-Grid-canvas"
      style={{ height: props.height ?? rows * 25 + 4 }}
    />
  );
}

/** Give a grid the colours and the type of the theme. */
function paintGrid(grid: DataGrid, node: HTMLElement): void {
  const style = getComputedStyle(node);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const font = `${read('--jp-ui-font-size1') || '13px'} ${read('--jp-ui-font-family') || 'sans-serif'}`;
  grid.style = {
    ...DataGrid.defaultStyle,
    voidColor: read('--jp-layout-color1'),
    backgroundColor: read('--jp-layout-color1'),
    gridLineColor: read('--jp-border-color3'),
    headerBackgroundColor: read('--jp-layout-color2'),
    headerGridLineColor: read('--jp-border-color2'),
    selectionBorderColor: read('--jp-brand-color1'),
    cursorBorderColor: read('--jp-brand-color1'),
    headerSelectionBorderColor: read('--jp-brand-color1')
  };
  const text = (horizontalAlignment: 'left' | 'center') =>
    new TextRenderer({
      font,
      textColor: read('--jp-ui-font-color1'),
      horizontalAlignment
    });
  grid.cellRenderers.update({
    body: text('left'),
    'column-header': text('left'),
    'row-header': text('center'),
    'corner-header': text('center')
  });
}

function PlainTable(props: IGridProps): React.ReactElement {
  const { source } = props;
  const [rows, setRows] = React.useState<unknown[][]>([]);
  React.useEffect(() => {
    let isGone = false;
    void source
      .fetch(0, Math.min(PLAIN_ROWS, source.rowCount))
      .then(block => isGone || setRows(block));
    return () => {
      isGone = true;
    };
  }, [source]);
  return (
    <div
      className="atelier-Grid-plain"
      tabIndex={0}
      role="group"
      aria-label={props.label}
    >
      <table>
        <thead>
          <tr>
            {source.columns.map(name => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column}>{formatCell(cell)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
