/** What all curves of a comparison share: the axis, how much they are smoothed, and logarithms. */
import { UUID } from '@lumino/coreutils';
import * as React from 'react';

import { useStudio } from '../../frame';
import type { Axis, IControls } from './layout';

/** Milliseconds that the slider rests before the curves follow. */
const PAUSE = 150;

export function ChartControls(props: {
  controls: IControls;
  onChange(controls: IControls): void;
  children: React.ReactNode;
}): React.ReactElement {
  const { trans } = useStudio();
  const { controls, onChange } = props;
  const [id] = React.useState(() => `atelier-${UUID.uuid4()}`);
  const [smoothing, setSmoothing] = React.useState(controls.smoothing);
  React.useEffect(() => setSmoothing(controls.smoothing), [controls.smoothing]);
  const latest = React.useRef({ controls, onChange });
  latest.current = { controls, onChange };
  React.useEffect(() => {
    if (smoothing === latest.current.controls.smoothing) {
      return;
    }
    const timer = window.setTimeout(() => {
      const { controls, onChange } = latest.current;
      onChange({ ...controls, smoothing });
    }, PAUSE);
    return () => window.clearTimeout(timer);
  }, [smoothing]);
  const toggle = (name: 'log_x' | 'log_y', label: string) => (
    <label className="atelier-Check">
      <input
        type="checkbox"
        checked={controls[name]}
        onChange={event =>
          onChange({ ...controls, [name]: event.target.checked })
        }
      />
      {label}
    </label>
  );
  return (
    <div
      className="atelier-Compare-controls"
      role="group"
      aria-label={trans.__('Curves')}
    >
      <label htmlFor={`${id}-x`}>{trans.__('Axis')}</label>
      <select
        id={`${id}-x`}
        value={controls.x}
        onChange={event =>
          onChange({ ...controls, x: event.target.value as Axis })
        }
      >
        <option value="step">{trans.__('Step')}</option>
        <option value="time">{trans.__('Wall time')}</option>
        <option value="relative">{trans.__('Time since the start')}</option>
      </select>
      <label htmlFor={`${id}-smoothing`}>{trans.__('Smoothing')}</label>
      <input
        id={`${id}-smoothing`}
        type="range"
        min={0}
        max={0.99}
        step={0.01}
        value={smoothing}
        onChange={event => setSmoothing(Number(event.target.value))}
      />
      <output htmlFor={`${id}-smoothing`}>{smoothing.toFixed(2)}</output>
      {toggle('log_y', trans.__('Log y'))}
      {controls.x !== 'time' && toggle('log_x', trans.__('Log x'))}
      <div className="atelier-Header-actions">{props.children}</div>
    </div>
  );
}
