/** A slider over the steps at which something was captured. */
import * as React from 'react';

import { useStudio } from '../frame';

/** Milliseconds that a slider rests before the figure follows. */
const SETTLED = 150;

/** The chosen step, null for the newest; the same once it has rested; and how to choose another. */
export function useStep(
  steps: number[]
): [number | null, number | null, (step: number | null) => void] {
  const [step, setStep] = React.useState<number | null>(null);
  const [settled, setSettled] = React.useState<number | null>(null);
  React.useEffect(() => {
    const timer = window.setTimeout(() => setSettled(step), SETTLED);
    return () => window.clearTimeout(timer);
  }, [step]);
  const isKnown = step === null || steps.includes(step);
  return [isKnown ? step : null, isKnown ? settled : null, setStep];
}

export function StepSlider(props: {
  steps: number[];
  /** Null for the newest. */
  step: number | null;
  onChange(step: number | null): void;
  label?: string;
}): React.ReactElement | null {
  const { trans } = useStudio();
  const { steps, step } = props;
  if (steps.length < 2) {
    return null;
  }
  const last = steps.length - 1;
  const place = step === null ? last : steps.indexOf(step);
  const value = steps[place].toLocaleString();
  return (
    <label className="atelier-StepSlider">
      <span>
        {props.label ?? trans.__('Step')} {value}
        {step === null && ` (${trans.__('newest')})`}
      </span>
      <input
        type="range"
        min={0}
        max={last}
        value={place}
        aria-label={props.label ?? trans.__('Step')}
        aria-valuetext={trans.__('step %1', value)}
        onChange={event => {
          const next = Number(event.target.value);
          props.onChange(next === last ? null : steps[next]);
        }}
      />
    </label>
  );
}
