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

  // Plotly loses sizes when it draws and resizes one figure at the same time: one thing after the other.
  const queue = React.useRef<Promise<void>>(Promise.resolve());
  const enqueue = React.useCallback((work: () => Promise<void>) => {
    queue.current = queue.current.then(work, work);
  }, []);

  React.useEffect(() => {
    const node = root.current;
    if (!node || !figure) {
      return;
    }
    let isGone = false;
    const draw = async () => {
      try {
        if (isGone) {
          return;
        }
        const library = await loadPlotly();
        if (isGone) {
          return;
        }
        const layout = themeLayout(figure, readTheme(node), title);
        const data = themeData(figure.data, readTheme(node));
        await library.react(node, data, layout, { displayModeBar: false });
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
    enqueue(draw);
    const onTheme = () => enqueue(draw);
    studio.themeChanged.connect(onTheme);
    return () => {
      isGone = true;
      studio.themeChanged.disconnect(onTheme);
    };
  }, [enqueue, figure, studio, title]);

  React.useEffect(() => {
    const node = root.current;
    if (!node || !isDrawn) {
      return;
    }
    let isWaiting = false;
    const resize = () => {
      if (isWaiting) {
        return;
      }
      isWaiting = true;
      enqueue(async () => {
        isWaiting = false;
        if (node.offsetParent !== null) {
          await (await loadPlotly()).Plots.resize(node);
        }
      });
    };
    const observer = new ResizeObserver(resize);
    observer.observe(node);
    return () => observer.disconnect();
  }, [enqueue, isDrawn]);

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
