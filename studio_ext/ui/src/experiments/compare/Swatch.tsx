/** The colour that a run has in every figure of a comparison. */
import * as React from 'react';

import { seriesColor } from '../../components';

export function Swatch(props: { place: number }): React.ReactElement {
  const style = {
    '--atelier-swatch': seriesColor(props.place, false),
    '--atelier-swatch-dark': seriesColor(props.place, true)
  } as React.CSSProperties;
  return <span className="atelier-Swatch" style={style} aria-hidden="true" />;
}
