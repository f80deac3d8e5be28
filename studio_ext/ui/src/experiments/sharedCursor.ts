/** One cursor over all charts in a place: what is pointed at in one is shown in the others. */
import * as React from 'react';

/** A drawing of Plotly, which tells what is pointed at. */
interface IPlot extends HTMLElement {
  on?(event: string, listener: (event: { xvals?: unknown[] }) => void): void;
}

/** Follow the pointer over the charts inside an element. */
export function useSharedCursor(): {
  ref: React.RefObject<HTMLDivElement>;
  onPointerOver(event: React.PointerEvent): void;
} {
  const ref = React.useRef<HTMLDivElement>(null);
  const followed = React.useRef(new WeakSet<IPlot>());
  const pointed = React.useRef<IPlot | null>(null);
  const onPointerOver = (event: React.PointerEvent) => {
    const plot = (event.target as Element).closest<IPlot>('.js-plotly-plot');
    pointed.current = plot;
    if (!plot?.on || followed.current.has(plot)) {
      return;
    }
    followed.current.add(plot);
    const others = () =>
      [
        ...(ref.current?.querySelectorAll<IPlot>('.js-plotly-plot') ?? [])
      ].filter(other => other !== plot && other.offsetParent !== null);
    const isPointed = () => pointed.current === plot;
    plot.on('plotly_hover', ({ xvals }) => {
      const xval = xvals?.[0];
      if (xval !== undefined && isPointed()) {
        void import('plotly.js-strict-dist-min').then(({ Fx }) =>
          others().forEach(other => Fx.hover(other, { xval }, ['xy']))
        );
      }
    });
    plot.on('plotly_unhover', () => {
      if (isPointed()) {
        void import('plotly.js-strict-dist-min').then(({ Fx }) =>
          others().forEach(other => Fx.unhover(other))
        );
      }
    });
  };
  return { ref, onPointerOver };
}
