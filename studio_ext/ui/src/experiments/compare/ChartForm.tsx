/** What a chart shows: chosen by hand. */
import { UUID } from '@lumino/coreutils';
import * as React from 'react';

import type { RunRecord } from '../../api';
import { Button, SelectField } from '../../components';
import { useStudio } from '../../frame';
import type { FigureSpec } from './calls';
import { DEFAULT_LAYOUT, fieldOf, mainMetric, metricKeys } from './layout';

type Kind = FigureSpec['kind'];
const MOST: { [kind in 'curves' | 'parallel']: number } = {
  curves: 8,
  parallel: 20
};

/** What the fields of the form hold; each kind of chart takes those that it needs. */
interface IChoice {
  kind: Kind;
  keys: string[];
  fields: string[];
  x: string;
  y: string;
  color: string;
}

export function ChartForm(props: {
  runs: RunRecord[];
  initial: FigureSpec | null;
  onSubmit(spec: FigureSpec): void;
  onCancel(): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { runs, initial } = props;
  const keys = metricKeys(runs);
  const metrics = keys.map(key => fieldOf('metrics', key));
  const params = keysOf(runs, 'params').map(key => fieldOf('params', key));
  const tags = keysOf(runs, 'tags').map(key => fieldOf('tags', key));
  const fields = [...params, ...metrics, ...tags];
  const [choice, setChoice] = React.useState<IChoice>(() =>
    initial ? choiceOf(initial) : firstChoice(keys, params, metrics)
  );
  const change = (next: Partial<IChoice>) => setChoice({ ...choice, ...next });
  const spec = specOf(choice);
  const kinds: { value: Kind; label: string }[] = [
    { value: 'curves', label: trans.__('Curves') },
    { value: 'parallel', label: trans.__('Parallel coordinates') },
    { value: 'scatter', label: trans.__('Scatter') },
    { value: 'bars', label: trans.__('Bars') },
    { value: 'boxes', label: trans.__('Boxes by group') }
  ];
  const select = (label: string, name: 'x' | 'y' | 'color', from: string[]) => (
    <SelectField
      label={label}
      value={choice[name]}
      options={[
        ...(name === 'color'
          ? [{ value: '', label: trans.__('The run') }]
          : []),
        ...from.map(value => ({ value, label: value }))
      ]}
      onChange={value => change({ [name]: value })}
    />
  );
  return (
    <form
      className="atelier-Compare-form"
      aria-label={
        initial ? trans.__('Edit the chart') : trans.__('Add a chart')
      }
      onSubmit={event => {
        event.preventDefault();
        if (spec) {
          props.onSubmit(spec);
        }
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          props.onCancel();
        }
      }}
    >
      <div className="atelier-Form">
        <SelectField
          label={trans.__('Chart')}
          value={choice.kind}
          options={kinds}
          onChange={kind => change({ kind: kind as Kind })}
        />
        {choice.kind === 'scatter' && select(trans.__('Across'), 'x', fields)}
        {choice.kind === 'scatter' && select(trans.__('Up'), 'y', fields)}
        {(choice.kind === 'bars' || choice.kind === 'boxes') &&
          select(trans.__('Value'), 'y', [...metrics, ...params])}
        {choice.kind === 'boxes' &&
          select(trans.__('Group by'), 'x', [...params, ...tags])}
        {(choice.kind === 'scatter' || choice.kind === 'parallel') &&
          select(trans.__('Colour by'), 'color', fields)}
      </div>
      {choice.kind === 'curves' && (
        <Checks
          label={trans.__('Metrics (at most %1)', MOST.curves)}
          options={keys}
          chosen={choice.keys}
          most={MOST.curves}
          onChange={chosen => change({ keys: chosen })}
        />
      )}
      {choice.kind === 'parallel' && (
        <Checks
          label={trans.__('Axes (2 to %1)', MOST.parallel)}
          options={fields}
          chosen={choice.fields}
          most={MOST.parallel}
          onChange={chosen => change({ fields: chosen })}
        />
      )}
      <div className="atelier-Buttons">
        <Button
          kind="primary"
          label={initial ? trans.__('Apply') : trans.__('Add')}
          isDisabled={spec === null}
          onClick={() => spec && props.onSubmit(spec)}
        />
        <Button label={trans.__('Cancel')} onClick={props.onCancel} />
      </div>
    </form>
  );
}

function Checks(props: {
  label: string;
  options: string[];
  chosen: string[];
  most: number;
  onChange(chosen: string[]): void;
}): React.ReactElement {
  const { options, chosen, most, onChange } = props;
  const [id] = React.useState(() => `atelier-${UUID.uuid4()}`);
  return (
    <div role="group" aria-labelledby={id}>
      <div id={id}>{props.label}</div>
      <div className="atelier-Compare-checks">
        {options.map(option => {
          const isChosen = chosen.includes(option);
          return (
            <label key={option} className="atelier-Check" title={option}>
              <input
                type="checkbox"
                checked={isChosen}
                disabled={!isChosen && chosen.length >= most}
                onChange={() =>
                  onChange(
                    isChosen
                      ? chosen.filter(other => other !== option)
                      : [...chosen, option]
                  )
                }
              />
              <span className="atelier-ellipsis">{option}</span>
            </label>
          );
        })}
      </div>
    </div>
  );
}

/** The chart that the fields describe; null if something is missing. */
export function specOf(choice: IChoice): FigureSpec | null {
  const { kind, keys, fields, x, y } = choice;
  const color = choice.color || null;
  switch (kind) {
    case 'curves':
      return keys.length ? { kind, keys, ...DEFAULT_LAYOUT.controls } : null;
    case 'parallel':
      return fields.length > 1 ? { kind, fields, color } : null;
    case 'scatter':
      return x && y ? { kind, x, y, color } : null;
    case 'bars':
      return y ? { kind, metric: y } : null;
    case 'boxes':
      return x && y ? { kind, metric: y, by: x } : null;
  }
}

function choiceOf(spec: FigureSpec): IChoice {
  const empty: IChoice = {
    kind: spec.kind,
    keys: [],
    fields: [],
    x: '',
    y: '',
    color: ''
  };
  switch (spec.kind) {
    case 'curves':
      return { ...empty, keys: spec.keys };
    case 'parallel':
      return { ...empty, fields: spec.fields, color: spec.color ?? '' };
    case 'scatter':
      return { ...empty, x: spec.x, y: spec.y, color: spec.color ?? '' };
    case 'bars':
      return { ...empty, y: spec.metric };
    case 'boxes':
      return { ...empty, y: spec.metric, x: spec.by };
  }
}

function firstChoice(
  keys: string[],
  params: string[],
  metrics: string[]
): IChoice {
  const main = mainMetric(keys);
  const metric = main ? fieldOf('metrics', main) : '';
  return {
    kind: 'curves',
    keys: main ? [main] : [],
    fields: [...params.slice(0, 4), ...(metric ? [metric] : [])],
    x: params[0] ?? metrics[0] ?? '',
    y: metric,
    color: ''
  };
}

function keysOf(runs: RunRecord[], kind: 'params' | 'tags'): string[] {
  return [...new Set(runs.flatMap(run => Object.keys(run[kind])))].sort();
}
