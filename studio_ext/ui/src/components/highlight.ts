/** In a figure with more lines than colours, the line under the pointer stands out. */
import type { IPlotlyElement } from 'plotly.js-strict-dist-min';

import type { IFigure } from './theme';

type Plotly = typeof import('plotly.js-strict-dist-min');

/** As many series as there are colours that everybody can tell apart. */
const MAX_COLORS = 8;
const STRONG = 4;

export function highlightOnHover(
  library: Plotly,
  node: IPlotlyElement,
  figure: IFigure
): void {
  node.removeAllListeners?.('plotly_hover');
  node.removeAllListeners?.('plotly_unhover');
  if (
    figure.data.length <= MAX_COLORS ||
    figure.layout.hovermode !== 'closest'
  ) {
    return;
  }
  const widths = figure.data.map(
    trace => (trace as { line?: { width?: number } }).line?.width ?? 2
  );
  let current = -1;
  const restore = () => {
    if (current >= 0) {
      void library.restyle(node, { 'line.width': widths[current] }, [current]);
      current = -1;
    }
  };
  node.on?.('plotly_hover', ({ points }) => {
    const next = points[0]?.curveNumber ?? -1;
    if (next !== current) {
      restore();
      current = next;
      void library.restyle(node, { 'line.width': STRONG }, [next]);
    }
  });
  node.on?.('plotly_unhover', restore);
}
