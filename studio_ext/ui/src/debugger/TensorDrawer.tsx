/** One tensor: a statistic of it over the steps, beside that of another run, its distribution and its numbers. */
import * as React from 'react';

import type { TensorDetail } from '../api';
import {
  Drawer,
  FactTable,
  Loaded,
  SelectField,
  metricFacts
} from '../components';
import { useResource, useStudio } from '../frame';
import { CaptureFigure } from './CaptureFigure';
import type { ICaptureView } from './DebuggerTab';
import { StepSlider, useStep } from './StepSlider';
import { IFigureRequest, listWatchedRuns, readTensor } from './calls';

const REDUCTIONS = [
  ...['mean', 'std', 'min', 'max', 'abs_mean', 'abs_max', 'l1', 'l2'],
  ...['zeros', 'nan', 'inf', 'dead', 'saturated', 'q05', 'q50', 'q95']
];

export function TensorDrawer(
  props: ICaptureView & { name: string; onClose(): void }
): React.ReactElement {
  const { client, trans } = useStudio();
  const { run, name, reply } = props;
  const modes = reply.capture?.modes ?? [];
  const [mode, setMode] = React.useState(modes[0] ?? 'TRAIN');
  const [asked, setAsked] = React.useState<number | null>(null);
  const detail = useResource(
    JSON.stringify(['tensor', run.id, name, mode, asked]),
    signal => {
      const query = { name, mode, ...(asked === null ? {} : { step: asked }) };
      return readTensor(client, run.id, query, signal);
    }
  );
  const known = React.useRef<TensorDetail | null>(null);
  known.current = detail.data ?? known.current;
  return (
    <Drawer
      label={trans.__('Details of the tensor')}
      title={name}
      onClose={props.onClose}
    >
      <Loaded
        resource={{ ...detail, data: known.current }}
        failure={trans.__('The tensor could not be read')}
      >
        {data => (
          <TensorView
            {...props}
            detail={data}
            mode={mode}
            onMode={setMode}
            onStep={setAsked}
          />
        )}
      </Loaded>
    </Drawer>
  );
}

function TensorView(
  props: ICaptureView & {
    detail: TensorDetail;
    mode: string;
    onMode(mode: string): void;
    onStep(step: number | null): void;
  }
): React.ReactElement {
  const { client, trans } = useStudio();
  const { run, detail, mode, onStep } = props;
  const [reduction, setReduction] = React.useState('std');
  const [other, setOther] = React.useState('');
  const others = useResource(`watched/${run.id}`, signal =>
    listWatchedRuns(client, run.id, signal)
  );
  const [step, settledStep, setStep] = useStep(detail.steps);
  React.useEffect(() => onStep(settledStep), [onStep, settledStep]);
  const request: IFigureRequest = other
    ? {
        figure: 'compare_tensors',
        arguments: { tensor: detail.name, reduction, mode },
        other
      }
    : {
        figure: 'series',
        arguments: { tensors: [detail.name], reduction, mode }
      };
  const shared = { run, version: props.version, isFinal: props.isFinal };
  const runs = others.data?.runs ?? [];
  return (
    <>
      <div className="atelier-Facts">
        {detail.layer && <span>{detail.layer}</span>}
        {detail.kind && <span>{detail.kind}</span>}
        {detail.shape.length > 0 && <span>{detail.shape.join(' × ')}</span>}
      </div>
      <div className="atelier-ChartControls">
        {!detail.is_scalar && (
          <SelectField
            label={trans.__('Statistic')}
            value={reduction}
            options={REDUCTIONS.map(value => ({ value, label: value }))}
            onChange={setReduction}
          />
        )}
        {detail.modes.length > 1 && (
          <SelectField
            label={trans.__('Mode')}
            value={mode}
            options={detail.modes.map(value => ({ value, label: value }))}
            onChange={props.onMode}
          />
        )}
        {runs.length > 0 && (
          <SelectField
            label={trans.__('Compare with')}
            value={other}
            options={[
              { value: '', label: trans.__('no other run') },
              ...runs.map(({ id, name }) => ({
                value: id,
                label: `${name} (${id.slice(0, 6)})`
              }))
            ]}
            onChange={setOther}
          />
        )}
      </div>
      {detail.steps.length > 0 ? (
        <CaptureFigure
          {...shared}
          title={detail.is_scalar ? trans.__('Value') : reduction}
          request={request}
          height={220}
        />
      ) : (
        <p className="atelier-muted">
          {trans.__('No statistics of it were captured in this mode.')}
        </p>
      )}
      {!detail.is_scalar && detail.steps.length > 0 && (
        <>
          <CaptureFigure
            {...shared}
            title={trans.__('Distribution over time')}
            request={{
              figure: 'distribution',
              arguments: { tensor: detail.name, mode }
            }}
            height={220}
          />
          <StepSlider steps={detail.steps} step={step} onChange={setStep} />
          <FactTable
            caption={trans.__(
              'Statistics at step %1',
              (detail.step ?? 0).toLocaleString()
            )}
            facts={metricFacts(detail.statistics)}
            empty={trans.__('None.')}
          />
        </>
      )}
      {detail.saved_steps.length > 0 && (
        <p className="atelier-muted">
          {trans.__(
            'Its elements were saved at %1 steps: trial.tensor("%2").value(%3).',
            detail.saved_steps.length,
            detail.name,
            detail.saved_steps[detail.saved_steps.length - 1]
          )}
        </p>
      )}
    </>
  );
}
