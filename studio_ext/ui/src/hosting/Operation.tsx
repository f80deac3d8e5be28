/** How an endpoint runs: its variants, the update under way, its numbers, and what happened to it. */
import * as React from 'react';

import type { Client, EndpointOperation, VariantDetail } from '../api';
import {
  Button,
  ErrorBar,
  IAction,
  Loaded,
  Sparkline,
  Time,
  ask,
  confirmLoss,
  formatCount,
  useAction
} from '../components';
import { IStudio, useResource, useStudio } from '../frame';
import {
  getOperation,
  rollbackEndpoint,
  scaleEndpoint,
  updateEndpoint
} from './calls';

/** Looks at the numbers that are kept for the curves. */
const MOST_SAMPLES = 60;

interface ISample {
  time: number;
  requests: number;
  errors: number;
}

export function Operation(props: { name: string }): React.ReactElement {
  const { client, trans } = useStudio();
  const { name } = props;
  const resource = useResource<EndpointOperation>(
    `endpoint-operation/${name}`,
    signal => getOperation(client, name, signal)
  );
  const samples = useSamples(resource.data);
  return (
    <Loaded
      resource={resource}
      failure={trans.__('How the endpoint runs could not be read')}
      rows={8}
    >
      {data => (
        <OperationView
          name={name}
          operation={data}
          samples={samples}
          onChange={resource.refresh}
        />
      )}
    </Loaded>
  );
}

/** What was counted at each look, for curves of the last minutes. */
function useSamples(operation: EndpointOperation | null): ISample[] {
  const kept = React.useRef<ISample[]>([]);
  const last = React.useRef<EndpointOperation | null>(null);
  if (operation && operation !== last.current) {
    last.current = operation;
    const { metrics } = operation;
    const errors =
      (metrics.Invocation4XXErrors ?? 0) +
      (metrics.Invocation5XXErrors ?? 0) +
      (metrics.InvocationModelErrors ?? 0);
    const sample = {
      time: Date.now(),
      requests: metrics.Invocations ?? 0,
      errors
    };
    kept.current = [...kept.current, sample].slice(-MOST_SAMPLES);
  }
  return kept.current;
}

function OperationView(props: {
  name: string;
  operation: EndpointOperation;
  samples: ISample[];
  onChange(): void;
}): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { name, operation, onChange } = props;
  const { update } = operation;
  const action = useAction();
  const run = (work: () => Promise<unknown>) =>
    void action.run(work).then(onChange);
  const isUpdating = update !== null && !update.is_over;
  return (
    <div className="atelier-EndpointOperation">
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <div className="atelier-Buttons">
        <Button
          label={trans.__('Update…')}
          isDisabled={isUpdating}
          isBusy={action.isBusy}
          onClick={() => void askUpdate(studio, client, name, action, onChange)}
        />
        <Button
          label={trans.__('Roll back')}
          isDisabled={update === null || update.phase === 'rolled_back'}
          isBusy={action.isBusy}
          onClick={() =>
            void confirmLoss({
              title: trans.__('Roll the endpoint %1 back?', name),
              text: trans.__(
                'All requests go to what was served before the last update.'
              ),
              keep: trans.__('Keep it'),
              lose: trans.__('Roll back')
            }).then(
              isSure => isSure && run(() => rollbackEndpoint(client, name))
            )
          }
        />
        <Button
          label={trans.__('Scale…')}
          isDisabled={isUpdating}
          isBusy={action.isBusy}
          onClick={() =>
            void askWorkers(studio, operation.variants).then(
              workers =>
                workers !== null &&
                run(() => scaleEndpoint(client, name, workers))
            )
          }
        />
      </div>
      {update && <UpdateLine update={update} />}
      <Variants variants={operation.variants} />
      <Numbers operation={operation} samples={props.samples} />
      <Events operation={operation} />
    </div>
  );
}

function UpdateLine(props: {
  update: NonNullable<EndpointOperation['update']>;
}): React.ReactElement {
  const { trans } = useStudio();
  const { update } = props;
  const phases = {
    starting: trans.__('The workers of the new revision start.'),
    shifting: trans.__('Requests pass to the new revision.'),
    baking: trans.__('The new revision has all requests and is watched.'),
    finished: trans.__('The last update is finished.'),
    rolled_back: trans.__('The last update was rolled back.')
  };
  return (
    <div
      className="atelier-EndpointUpdate"
      data-phase={update.phase}
      role="status"
    >
      <span>{phases[update.phase]}</span>
      {!update.is_over && (
        <progress
          max={1}
          value={update.share}
          aria-label={trans.__('Requests that the new revision takes')}
        />
      )}
      {!update.is_over && <span>{`${Math.round(100 * update.share)} %`}</span>}
      {update.reason && <span>{update.reason}</span>}
      <Time value={update.since} />
    </div>
  );
}

function Variants(props: { variants: VariantDetail[] }): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const whole = props.variants.reduce((sum, one) => sum + one.weight, 0) || 1;
  return (
    <section className="atelier-DataTable">
      <h2>{trans.__('Variants')}</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Variant')}</th>
            <th scope="col">{trans.__('Model versions')}</th>
            <th scope="col">{trans.__('Answered by')}</th>
            <th scope="col">{trans.__('Part of the requests')}</th>
            <th scope="col">{trans.__('Workers')}</th>
          </tr>
        </thead>
        <tbody>
          {props.variants.map(variant => (
            <tr key={variant.name}>
              <th scope="row">{variant.name}</th>
              <td>
                {variant.models.map((model, place) => (
                  <React.Fragment key={`${model}/${variant.versions[place]}`}>
                    {place > 0 && ' → '}
                    <button
                      type="button"
                      className="atelier-TextButton"
                      onClick={() =>
                        studio.open(`model/${model}/${variant.versions[place]}`)
                      }
                    >
                      {trans.__(
                        '%1 version %2',
                        model,
                        variant.versions[place]
                      )}
                    </button>
                  </React.Fragment>
                ))}
              </td>
              <td>{variant.engine}</td>
              <td>{`${Math.round((100 * variant.weight) / whole)} %`}</td>
              <td>
                {trans.__('%1 of %2 ready', variant.ready, variant.workers)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Numbers(props: {
  operation: EndpointOperation;
  samples: ISample[];
}): React.ReactElement {
  const { trans } = useStudio();
  const { metrics } = props.operation;
  const { samples } = props;
  const steps = samples.slice(1).map((_, place) => place);
  const rates = (of: 'requests' | 'errors') =>
    samples
      .slice(1)
      .map((one, place) =>
        Math.max(
          0,
          (one[of] - samples[place][of]) /
            Math.max((one.time - samples[place].time) / 1000, 0.001)
        )
      );
  const latency = (name: string) => {
    const value = metrics[name];
    return value === null || value === undefined
      ? '–'
      : trans.__('%1 ms', (value / 1000).toPrecision(3));
  };
  const count = (name: string) => formatCount(metrics[name] ?? 0);
  const requests = rates('requests');
  const errors = rates('errors');
  return (
    <section aria-label={trans.__('Numbers')}>
      <h2>{trans.__('Numbers')}</h2>
      <dl className="atelier-EndpointNumbers">
        <div>
          <dt>{trans.__('Requests')}</dt>
          <dd>{count('Invocations')}</dd>
          <Sparkline
            label={trans.__('Requests per second since this page looks')}
            steps={steps}
            values={requests}
          />
        </div>
        <div>
          <dt>{trans.__('Errors (4xx, 5xx, model)')}</dt>
          <dd>
            {`${count('Invocation4XXErrors')}, ${count('Invocation5XXErrors')}, ${count('InvocationModelErrors')}`}
          </dd>
          <Sparkline
            label={trans.__('Errors per second since this page looks')}
            steps={steps}
            values={errors}
          />
        </div>
        <div>
          <dt>{trans.__('In flight')}</dt>
          <dd>{count('ConcurrentRequests')}</dd>
        </div>
        <div>
          <dt>{trans.__('Model, median')}</dt>
          <dd>{latency('ModelLatencyP50')}</dd>
        </div>
        <div>
          <dt>{trans.__('Model, 99 of 100')}</dt>
          <dd>{latency('ModelLatencyP99')}</dd>
        </div>
        <div>
          <dt>{trans.__('Overhead, 99 of 100')}</dt>
          <dd>{latency('OverheadLatencyP99')}</dd>
        </div>
      </dl>
    </section>
  );
}

function Events(props: { operation: EndpointOperation }): React.ReactElement {
  const { trans } = useStudio();
  const { events } = props.operation;
  return (
    <section aria-label={trans.__('Updates and scalings')}>
      <h2>{trans.__('Updates and scalings')}</h2>
      {events.length === 0 ? (
        <p className="atelier-muted">
          {trans.__('It was neither updated nor scaled yet.')}
        </p>
      ) : (
        <ul className="atelier-EndpointEvents">
          {events.map((event, place) => (
            <li key={`${event.time}/${place}`}>
              <Time value={event.time} />
              <span>{event.event}</span>
              <span className="atelier-muted">{event.text}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

async function askUpdate(
  studio: IStudio,
  client: Client,
  name: string,
  action: IAction,
  onChange: () => void
): Promise<void> {
  const { trans } = studio;
  const answers = await ask({
    title: trans.__('Update the endpoint %1', name),
    text: trans.__('No request is dropped; the old workers stay until then.'),
    accept: trans.__('Update'),
    questions: [
      {
        name: 'version',
        label: trans.__('Version'),
        pattern: '[0-9]*',
        help: trans.__('Empty is the newest approved one.')
      },
      {
        name: 'kind',
        label: trans.__('Strategy'),
        kind: 'choice',
        value: 'canary',
        choices: [
          { value: 'all_at_once', label: trans.__('All at once') },
          { value: 'canary', label: trans.__('Canary: a part, then the rest') },
          { value: 'linear', label: trans.__('Linear: in steps') },
          { value: 'rolling', label: trans.__('Rolling: worker by worker') }
        ]
      },
      {
        name: 'size',
        label: trans.__('Part of each step, in percent'),
        value: '10',
        pattern: '[0-9]+'
      },
      {
        name: 'wait',
        label: trans.__('Seconds between two steps'),
        value: '5',
        pattern: '[0-9]+'
      },
      {
        name: 'bake',
        label: trans.__('Seconds to watch at the end'),
        value: '10',
        pattern: '[0-9]+'
      },
      {
        name: 'errors',
        label: trans.__('Roll back above this part of errors, in percent'),
        value: '5',
        pattern: '[0-9.]*',
        help: trans.__('Empty watches nothing.')
      }
    ]
  });
  if (answers === null) {
    return;
  }
  const size = Math.min(Math.max(Number(answers.size) / 100, 0.01), 1);
  await action.run(() =>
    updateEndpoint(client, name, {
      version: answers.version ? Number(answers.version) : null,
      kind: answers.kind as 'canary',
      canary_size: size,
      step_size: size,
      wait_seconds: Number(answers.wait),
      bake_seconds: Number(answers.bake),
      alarms: answers.errors
        ? [{ metric: 'error_rate', above: Number(answers.errors) / 100 }]
        : []
    })
  );
  onChange();
}

async function askWorkers(
  studio: IStudio,
  variants: VariantDetail[]
): Promise<number | null> {
  const { trans } = studio;
  const answers = await ask({
    title: trans.__('How many workers?'),
    text: trans.__('So many processes answer for each variant.'),
    accept: trans.__('Scale'),
    questions: [
      {
        name: 'workers',
        label: trans.__('Workers, 1 to 64'),
        value: String(variants[0]?.workers ?? 1),
        pattern: '[0-9]+',
        isRequired: true
      }
    ]
  });
  return answers === null ? null : Number(answers.workers);
}
