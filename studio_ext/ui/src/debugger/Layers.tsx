/** How the layers fare: gradient flow at a step, updates against weights, dead units, and how one tensor is distributed. */
import * as React from 'react';

import { SelectField, WhenInSight } from '../components';
import { useResource, useStudio } from '../frame';
import { CaptureFigure } from './CaptureFigure';
import type { ICaptureView } from './DebuggerTab';
import { StepSlider, useStep } from './StepSlider';
import { listTensors } from './calls';

const HEIGHT = 300;
/** Tensors that the choice of the distribution offers; the others are in the tensor browser. */
const MOST_TENSORS = 300;

export function Layers(view: ICaptureView): React.ReactElement {
  const { trans } = useStudio();
  const { run, reply, version, isFinal } = view;
  const figures = reply.capture?.figures ?? [];
  const steps = reply.capture?.steps ?? [];
  const [step, settledStep, setStep] = useStep(steps);
  const shared = { run, version, isFinal, height: HEIGHT };
  return (
    <div className="atelier-Debugger-part">
      <div className="atelier-DebuggerCharts">
        {figures.includes('gradient_flow') && (
          <div>
            <CaptureFigure
              {...shared}
              title={trans.__('Gradient flow')}
              request={{
                figure: 'gradient_flow',
                arguments: settledStep === null ? {} : { step: settledStep }
              }}
            />
            <StepSlider steps={steps} step={step} onChange={setStep} />
          </div>
        )}
        {figures.includes('update_ratios') && (
          <CaptureFigure
            {...shared}
            title={trans.__('Updates against weights')}
            request={{ figure: 'update_ratios' }}
          />
        )}
        {figures.includes('dead_units') && (
          <WhenInSight minHeight={HEIGHT + 32}>
            <CaptureFigure
              {...shared}
              title={trans.__('Dead and saturated units')}
              request={{ figure: 'dead_units' }}
            />
          </WhenInSight>
        )}
        {figures.includes('distribution') && (
          <WhenInSight minHeight={HEIGHT + 80}>
            <Distribution {...view} />
          </WhenInSight>
        )}
      </div>
    </div>
  );
}

function Distribution(view: ICaptureView): React.ReactElement {
  const { client, trans } = useStudio();
  const { run, version, isFinal } = view;
  const [chosen, setChosen] = React.useState('');
  const tensors = useResource(`tensors/${run.id}/choice`, signal =>
    listTensors(client, run.id, { limit: MOST_TENSORS }, signal)
  );
  const names = (tensors.data?.tensors ?? [])
    .filter(({ is_scalar, last_step }) => !is_scalar && last_step !== null)
    .map(({ name }) => name);
  const name = chosen || names[0];
  return (
    <div>
      {name && (
        <CaptureFigure
          run={run}
          version={version}
          isFinal={isFinal}
          height={HEIGHT}
          title={trans.__('Distribution over time')}
          request={{ figure: 'distribution', arguments: { tensor: name } }}
        />
      )}
      <SelectField
        label={trans.__('Tensor')}
        value={name ?? ''}
        options={names.map(value => ({ value, label: value }))}
        onChange={setChosen}
      />
    </div>
  );
}
