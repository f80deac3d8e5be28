/** A Plotly figure from the server, drawn in the theme of JupyterLab; Plotly itself comes with the first one. */
import { ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ApiError } from '../api';
import { useStudio } from '../frame/context';
import { FigureTable } from './FigureTable';
import { saveFile } from './download';
import { highlightOnHover } from './highlight';
import { IMenuItem, openMenu } from './menu';
import { IFigure, readTheme, themeData, themeLayout } from './theme';

type Plotly = typeof import('plotly.js-strict-dist-min');

let plotly: Promise<Plotly> | null = null;

function loadPlotly(): Promise<Plotly> {
  plotly =
    plotly ??
    import('plotly.js-strict-dist-min').catch((reason: unknown) => {
      plotly = null;
      throw reason;
    });
  return plotly;
}

interface ISize {
  width: number;
  height: number;
}

/** The size of the place of a figure, null while it is hidden. */
function sizeOf(node: HTMLElement): ISize | null {
  const { clientWidth: width, clientHeight: height } = node;
  return width > 0 && height > 0 ? { width, height } : null;
}

export interface IFigureProps {
  title: string;
  /** Null while it is loading. */
  figure: IFigure | null;
  error?: ApiError | null;
  height?: number;
  /** The Python that makes the figure in a notebook. */
  code?: string | null;
  /** What is said beside the title, such as what is not in the figure. */
  note?: string;
  /** What stands before the title, such as a handle to drag the figure by. */
  handle?: React.ReactNode;
  /** What else can be done with the figure. */
  menu?: IMenuItem[];
}

export function Figure(props: IFigureProps): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { figure, title } = props;
  const root = React.useRef<HTMLDivElement>(null);
  const [failure, setFailure] = React.useState('');
  const [isDrawn, setDrawn] = React.useState(false);
  const [isTable, setTable] = React.useState(false);

  // One thing after the other: Plotly draws and resizes in steps that do not know of each other.
  const queue = React.useRef<Promise<void>>(Promise.resolve());
  const enqueue = React.useCallback((work: () => Promise<void>) => {
    queue.current = queue.current.then(work);
  }, []);

  React.useEffect(() => {
    const node = root.current;
    if (!node || !figure) {
      return;
    }
    let isGone = false;
    let drawn: ISize | null = null;
    const draw = async () => {
      try {
        const library = await loadPlotly();
        if (isGone) {
          return;
        }
        const theme = readTheme(node);
        const size = sizeOf(node);
        const layout = { ...themeLayout(figure, theme, title), ...size };
        const data = themeData(figure.data, theme);
        await library.react(node, data, layout, { displayModeBar: false });
        drawn = size;
        highlightOnHover(library, node, figure);
        if (!isGone) {
          setFailure('');
          setDrawn(true);
        }
      } catch (reason) {
        if (!isGone) {
          setFailure(String(reason));
        }
      }
    };
    // The size is said in numbers: Plotly's own way of fitting waits, and waits for ever if it fails once.
    const fit = async () => {
      const size = sizeOf(node);
      const isFitting =
        size?.width === drawn?.width && size?.height === drawn?.height;
      if (isGone || !size || isFitting) {
        return;
      }
      try {
        await (await loadPlotly()).relayout(node, { ...size });
        drawn = size;
      } catch {
        await draw();
      }
    };
    enqueue(draw);
    const onTheme = () => enqueue(draw);
    const observer = new ResizeObserver(() => enqueue(fit));
    observer.observe(node);
    studio.themeChanged.connect(onTheme);
    return () => {
      isGone = true;
      observer.disconnect();
      studio.themeChanged.disconnect(onTheme);
    };
  }, [enqueue, figure, studio, title]);

  React.useEffect(() => {
    const node = root.current;
    return () => {
      if (node && plotly) {
        void plotly.then(library => library.purge(node));
      }
    };
  }, []);

  const save = async (format: 'png' | 'svg') => {
    const node = root.current;
    if (node) {
      const library = await loadPlotly();
      const { clientWidth: width, clientHeight: height } = node;
      const scale = format === 'png' ? 2 : 1;
      const url = await library.toImage(node, { format, width, height, scale });
      saveFile(url, `${title}.${format}`);
    }
  };
  const saveJson = () => {
    const blob = new Blob([JSON.stringify(figure)], {
      type: 'application/json'
    });
    const url = URL.createObjectURL(blob);
    saveFile(url, `${title}.plotly.json`);
    URL.revokeObjectURL(url);
  };
  const { code } = props;
  const items: IMenuItem[] = [
    { label: 'PNG', onSelect: () => void save('png') },
    { label: 'SVG', onSelect: () => void save('svg') },
    { label: 'JSON', onSelect: saveJson }
  ];
  if (code) {
    items.push({
      label: trans.__('Copy as Python'),
      onSelect: () => void studio.copy(code)
    });
  }
  items.push({
    label: isTable ? trans.__('Show the Figure') : trans.__('Show as Table'),
    onSelect: () => setTable(!isTable)
  });
  const message = failure || props.error?.message;
  return (
    <figure
      className="atelier-Figure"
      aria-label={title}
      aria-busy={!isDrawn && !message}
    >
      <figcaption>
        {props.handle}
        <span className="atelier-ellipsis" title={title}>
          {title}
        </span>
        {props.note && (
          <span
            className="atelier-Figure-note atelier-ellipsis"
            title={props.note}
          >
            {props.note}
          </span>
        )}
        <button
          type="button"
          className="atelier-IconButton"
          disabled={!isDrawn && !props.menu}
          aria-label={trans.__('Save the figure “%1”', title)}
          aria-haspopup="menu"
          onClick={event =>
            openMenu(event.currentTarget, [
              ...(isDrawn ? items : []),
              ...(props.menu ?? [])
            ])
          }
        >
          <ellipsesIcon.react tag="span" width="14px" aria-hidden />
        </button>
      </figcaption>
      <div
        ref={root}
        className="atelier-Figure-plot"
        style={{ height: props.height ?? 280 }}
        hidden={isTable}
      />
      {isTable && figure && (
        <FigureTable
          title={title}
          figure={figure}
          height={props.height ?? 280}
        />
      )}
      {message && (!isDrawn || !figure) && (
        <div className="atelier-Figure-message" role="alert">
          {message}
        </div>
      )}
    </figure>
  );
}
