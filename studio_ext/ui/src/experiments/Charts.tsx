/** The curves of a run's metrics, one figure for each group of keys, fetched when it comes into sight; one cursor. */
import * as React from 'react';

import type { RunRecord } from '../api';
import {
  EmptyState,
  Figure,
  IFigure,
  InputField,
  SelectField,
  WhenInSight,
  isFigure
} from '../components';
import { useLive, useResource, useStudio } from '../frame';
import { groupMetrics } from './groups';
import { IChartOptions, drawMetrics } from './runCalls';
import { useSharedCursor } from './sharedCursor';

const FIGURE_HEIGHT = 280;
/** Milliseconds between two drawings of a figure whose metrics are being logged. */
const CALM = 500;

export function Charts(props: { run: RunRecord }): React.ReactElement {
  const { trans } = useStudio();
  const { run } = props;
  const [options, setOptions] = React.useState<IChartOptions>({
    x: 'step',
    smoothing: 0,
    isLog: false
  });
  const [search, setSearch] = React.useState('');
  const cursor = useSharedCursor();
  const [newest, setNewest] = React.useState<{ [key: string]: number }>({});
  useLive(
    run.status === 'RUNNING' ? { experiment: [], run_id: run.id } : null,
    batch => setNewest(known => ({ ...known, ...batch.points }))
  );
  const groups = groupMetrics(
    Object.keys(run.metrics).filter(key =>
      key.toLowerCase().includes(search.trim().toLowerCase())
    )
  );
  if (Object.keys(run.metrics).length === 0) {
    return (
      <EmptyState
        title={trans.__('No metrics yet')}
        text={trans.__(
          'Each metric that the run logs becomes a curve here, while it runs.'
        )}
        code={'run.log_metric("loss", 0.31, step=1)'}
      />
    );
  }
  return (
    <>
      <ChartControls
        options={options}
        onChange={setOptions}
        search={search}
        onSearch={setSearch}
      />
      {groups.length === 0 && (
        <p className="atelier-muted">{trans.__('No metric matches.')}</p>
      )}
      <div className="atelier-Charts" {...cursor}>
        {groups.map(group => (
          <WhenInSight key={group.name} minHeight={FIGURE_HEIGHT + 32}>
            <MetricFigure
              run={run}
              newest={group.keys.map(key => newest[key]).join()}
              title={group.name}
              keys={group.keys}
              options={options}
            />
          </WhenInSight>
        ))}
      </div>
    </>
  );
}

function ChartControls(props: {
  options: IChartOptions;
  onChange(options: IChartOptions): void;
  search: string;
  onSearch(text: string): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { options, onChange } = props;
  return (
    <div
      className="atelier-ChartControls"
      role="group"
      aria-label={trans.__('How the charts are drawn')}
    >
      <InputField
        label={trans.__('Search metrics')}
        value={props.search}
        onChange={props.onSearch}
      />
      <SelectField
        label={trans.__('Horizontal axis')}
        value={options.x}
        options={[
          { value: 'step', label: trans.__('Step') },
          { value: 'relative', label: trans.__('Time since the start') },
          { value: 'time', label: trans.__('Time of day') }
        ]}
        onChange={x => onChange({ ...options, x: x as IChartOptions['x'] })}
      />
      <label className="atelier-Field">
        <span>{trans.__('Smoothing: %1', options.smoothing.toFixed(2))}</span>
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={options.smoothing}
          onChange={event =>
            onChange({ ...options, smoothing: Number(event.target.value) })
          }
        />
      </label>
      <label className="atelier-Check">
        <input
          type="checkbox"
          checked={options.isLog}
          onChange={event =>
            onChange({ ...options, isLog: event.target.checked })
          }
        />
        <span>{trans.__('Logarithmic')}</span>
      </label>
    </div>
  );
}

interface IDrawn {
  key: string;
  isFinal: boolean;
  text: string;
  figure: IFigure | null;
  code: string | null;
}

function MetricFigure(props: {
  run: RunRecord;
  /** Changes when the server tells of new points. */
  newest: string;
  title: string;
  keys: string[];
  options: IChartOptions;
}): React.ReactElement {
  const { client } = useStudio();
  const { run, keys, title, options } = props;
  const key = useSettled(JSON.stringify(['figure', run.id, keys, options]));
  const drawn = React.useRef<IDrawn>({
    key,
    isFinal: false,
    text: '',
    figure: null,
    code: null
  });
  const figure = useResource<IFigure | null>(key, async signal => {
    const known = drawn.current;
    if (known.key === key && known.isFinal) {
      return known.figure;
    }
    const isFinal = run.status !== 'RUNNING';
    // The options that the key names, which those of the controls may have left behind.
    const settled = (
      JSON.parse(key) as [string, string, string[], IChartOptions]
    )[3];
    const reply = await drawMetrics(client, run.id, keys, settled, signal);
    const text = JSON.stringify(reply.figure);
    const isSame = text === known.text;
    if (isSame || isFigure(reply.figure)) {
      const figure = isSame ? known.figure : (reply.figure as IFigure);
      const code = reply.code ?? null;
      drawn.current = { key, isFinal, text, figure, code };
    }
    return drawn.current.figure;
  });
  const { refresh } = figure;
  const timer = React.useRef(0);
  React.useEffect(() => () => window.clearTimeout(timer.current), []);
  React.useEffect(() => {
    if (props.newest.replace(/,/g, '') && !timer.current) {
      timer.current = window.setTimeout(() => {
        timer.current = 0;
        refresh();
      }, CALM);
    }
  }, [props.newest, refresh]);
  return (
    <Figure
      title={title}
      code={drawn.current.code ?? undefined}
      figure={figure.data ?? drawn.current.figure}
      error={figure.error}
      height={FIGURE_HEIGHT}
    />
  );
}

/** A value once it has stayed the same for a moment, so that a slider that is drawn is one question. */
function useSettled(value: string): string {
  const [settled, setSettled] = React.useState(value);
  React.useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), 200);
    return () => window.clearTimeout(timer);
  }, [value]);
  return settled;
}
