/** A Plotly figure from the server, drawn in the theme of JupyterLab; Plotly itself comes with the first one. */
import { ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ApiError } from '../api';
import { useStudio } from '../frame/context';
import { saveFile } from './download';
import { openMenu } from './menu';
import { IFigure, readTheme, themeLayout } from './theme';

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
}

export function Figure(props: IFigureProps): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { figure, title } = props;
  const root = React.useRef<HTMLDivElement>(null);
  const [failure, setFailure] = React.useState('');
  const [isDrawn, setDrawn] = React.useState(false);

  React.useEffect(() => {
    const node = root.current;
    if (!node || !figure) {
      return;
    }
    let isGone = false;
    const draw = async () => {
      try {
        const library = await loadPlotly();
        if (isGone) {
          return;
        }
        const layout = themeLayout(figure, readTheme(node), title);
        const data = figure.data.map(trace => ({ ...trace }));
        await library.react(node, data, layout, { displayModeBar: false });
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
    void draw();
    const onTheme = () => void draw();
    studio.themeChanged.connect(onTheme);
    return () => {
      isGone = true;
      studio.themeChanged.disconnect(onTheme);
    };
  }, [figure, studio, title]);

  React.useEffect(() => {
    const node = root.current;
    if (!node || !isDrawn) {
      return;
    }
    const resize = () => {
      if (node.offsetParent !== null) {
        void loadPlotly().then(library => library.Plots.resize(node));
      }
    };
    const observer = new ResizeObserver(resize);
    observer.observe(node);
    return () => observer.disconnect();
  }, [isDrawn]);

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
  const message = failure || props.error?.message;
  return (
    <figure
      className="atelier-Figure"
      aria-label={title}
      aria-busy={!isDrawn && !message}
    >
      <figcaption>
        <span className="atelier-ellipsis" title={title}>
          {title}
        </span>
        <button
          type="button"
          className="atelier-IconButton"
          disabled={!isDrawn}
          aria-label={trans.__('Save the figure “%1”', title)}
          aria-haspopup="menu"
          onClick={event =>
            openMenu(event.currentTarget, [
              { label: 'PNG', onSelect: () => void save('png') },
              { label: 'SVG', onSelect: () => void save('svg') },
              { label: 'JSON', onSelect: saveJson }
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
      />
      {message && !isDrawn && (
        <div className="atelier-Figure-message" role="alert">
          {message}
        </div>
      )}
    </figure>
  );
}
