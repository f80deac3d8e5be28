/** A figure of a capture, drawn again when there is more, at most once a second. */
import * as React from 'react';

import type { RunRecord } from '../api';
import { Figure, IFigure, isFigure } from '../components';
import { useResource, useStudio } from '../frame';
import { IFigureRequest, drawCapture } from './calls';

/** Milliseconds between two drawings. */
const CALM = 1000;

interface IDrawn {
  key: string;
  text: string;
  figure: IFigure | null;
  code: string | null;
  isFinal: boolean;
}

export function CaptureFigure(props: {
  run: RunRecord;
  title: string;
  request: IFigureRequest;
  /** Changes when something was captured or found. */
  version?: number;
  /** Whether nothing will change any more. */
  isFinal: boolean;
  height?: number;
  note?: string;
}): React.ReactElement {
  const { client } = useStudio();
  const { run, request, isFinal, version } = props;
  const key = JSON.stringify(['capture', run.id, request]);
  const drawn = React.useRef<IDrawn | null>(null);
  const figure = useResource<IFigure | null>(key, async signal => {
    const known = drawn.current;
    if (known?.key === key && known.isFinal) {
      return known.figure;
    }
    const reply = await drawCapture(client, run.id, request, signal);
    const text = JSON.stringify(reply.figure);
    if (known?.text === text) {
      drawn.current = { ...known, key, isFinal };
    } else if (isFigure(reply.figure)) {
      const code = reply.code;
      drawn.current = { key, text, figure: reply.figure, code, isFinal };
    }
    return drawn.current?.figure ?? null;
  });
  const { refresh } = figure;
  const timer = React.useRef(0);
  React.useEffect(() => () => window.clearTimeout(timer.current), []);
  React.useEffect(() => {
    if (version && !timer.current) {
      timer.current = window.setTimeout(() => {
        timer.current = 0;
        refresh();
      }, CALM);
    }
  }, [version, refresh]);
  // While another step is fetched, the figure of the one before stays in sight.
  const shown = figure.data ?? (figure.error ? null : drawn.current?.figure);
  return (
    <Figure
      title={props.title}
      figure={shown ?? null}
      error={figure.error}
      code={drawn.current?.code}
      height={props.height}
      note={props.note}
    />
  );
}
