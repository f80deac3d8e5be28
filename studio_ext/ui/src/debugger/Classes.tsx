/** What a classifier confuses, step by step, and what a boosted model leans on. */
import * as React from 'react';

import { SelectField } from '../components';
import { useStudio } from '../frame';
import { CaptureFigure } from './CaptureFigure';
import type { ICaptureView } from './DebuggerTab';
import { StepSlider, useStep } from './StepSlider';

const HEIGHT = 420;
const NONE: number[] = [];

export function Classes(view: ICaptureView): React.ReactElement {
  const { trans } = useStudio();
  const { run, reply, version, isFinal } = view;
  const figures = reply.capture?.figures ?? [];
  const shared = { run, version, isFinal, height: HEIGHT };
  return (
    <div className="atelier-Debugger-part">
      <div className="atelier-DebuggerCharts">
        {figures.includes('confusion') && <Confusion {...view} />}
        {figures.includes('class_counts') && (
          <CaptureFigure
            {...shared}
            title={trans.__('Samples of each class')}
            request={{ figure: 'class_counts' }}
          />
        )}
        {figures.includes('importance') && (
          <CaptureFigure
            {...shared}
            title={trans.__('Feature importance')}
            request={{ figure: 'importance' }}
          />
        )}
      </div>
    </div>
  );
}

function Confusion(view: ICaptureView): React.ReactElement {
  const { trans } = useStudio();
  const { run, reply, version, isFinal } = view;
  const known = reply.capture?.confusion_steps ?? {};
  const modes = Object.keys(known);
  const [chosen, setMode] = React.useState('');
  const mode = chosen || (modes.includes('EVAL') ? 'EVAL' : modes[0]);
  const steps = known[mode] ?? NONE;
  const [step, settledStep, setStep] = useStep(steps);
  return (
    <div>
      <CaptureFigure
        run={run}
        version={version}
        isFinal={isFinal}
        height={HEIGHT}
        title={trans.__('Confusion')}
        request={{
          figure: 'confusion',
          arguments: {
            mode,
            ...(settledStep === null ? {} : { step: settledStep })
          }
        }}
      />
      <StepSlider steps={steps} step={step} onChange={setStep} />
      {modes.length > 1 && (
        <SelectField
          label={trans.__('Of')}
          value={mode}
          options={modes.map(value => ({
            value,
            label:
              value === 'TRAIN'
                ? trans.__('training')
                : value === 'EVAL'
                  ? trans.__('validation')
                  : value.toLowerCase()
          }))}
          onChange={value => {
            setStep(null);
            setMode(value);
          }}
        />
      )}
    </div>
  );
}
