/** How an endpoint runs: its variants, the update under way, its workers, and what happened to it. */
import * as React from 'react';

import type { EndpointOperation } from '../api';
import {
  Button,
  ErrorBar,
  Loaded,
  Time,
  confirmLoss,
  formatCount,
  useAction
} from '../components';
import { useResource, useStudio } from '../frame';
import { EndpointEvents } from './EndpointEvents';
import { Variants } from './Variants';
import {
  getOperation,
  removeVariant,
  rollbackEndpoint,
  scaleEndpoint,
  setWeights,
  updateEndpoint
} from './calls';
import {
  askScaling,
  askUpdate,
  askWeights,
  askWorkers
} from './operationDialogs';

export function Operation(props: { name: string }): React.ReactElement {
  const { client, trans } = useStudio();
  const { name } = props;
  const resource = useResource<EndpointOperation>(
    `endpoint-operation/${name}`,
    signal => getOperation(client, name, signal)
  );
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
          onChange={resource.refresh}
        />
      )}
    </Loaded>
  );
}

function OperationView(props: {
  name: string;
  operation: EndpointOperation;
  onChange(): void;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { name, operation, onChange } = props;
  const { update } = operation;
  const action = useAction();
  const isUpdating = update !== null && !update.is_over;
  /** Ask, and do what was answered unless the user cancelled. */
  const askAndRun = <T,>(
    question: Promise<T | null | false>,
    work: (answer: T) => Promise<unknown>
  ) =>
    void question.then(async answer => {
      if (answer !== null && answer !== false) {
        await action.run(() => work(answer));
        onChange();
      }
    });
  const buttons = [
    {
      label: trans.__('Update…'),
      isDisabled: isUpdating,
      onClick: () =>
        askAndRun(askUpdate(name, operation, trans), body =>
          updateEndpoint(client, name, body)
        )
    },
    {
      label: trans.__('Roll back'),
      isDisabled: update === null || update.phase === 'rolled_back',
      onClick: () =>
        askAndRun(
          confirmLoss({
            title: trans.__('Roll the endpoint %1 back?', name),
            text: trans.__(
              'All requests go to what was served before the last update.'
            ),
            keep: trans.__('Keep it'),
            lose: trans.__('Roll back')
          }),
          () => rollbackEndpoint(client, name)
        )
    },
    {
      label: trans.__('Scale…'),
      isDisabled: isUpdating,
      onClick: () =>
        askAndRun(askWorkers(operation, trans), body =>
          scaleEndpoint(client, name, body)
        )
    },
    {
      label: trans.__('Autoscaling…'),
      isDisabled: isUpdating,
      onClick: () =>
        askAndRun(askScaling(operation, trans), body =>
          scaleEndpoint(client, name, body)
        )
    },
    ...(operation.variants.length > 1
      ? [
          {
            label: trans.__('Share…'),
            isDisabled: isUpdating,
            onClick: () =>
              askAndRun(askWeights(operation, trans), weights =>
                setWeights(client, name, weights)
              )
          }
        ]
      : [])
  ];
  return (
    <div className="atelier-EndpointOperation">
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <div className="atelier-Buttons">
        {buttons.map(button => (
          <Button key={button.label} isBusy={action.isBusy} {...button} />
        ))}
      </div>
      {update && <UpdateLine update={update} />}
      <Variants
        variants={operation.variants}
        onRemove={variant =>
          askAndRun(
            confirmLoss({
              title: trans.__('Remove the variant %1?', variant),
              text: trans.__(
                'Its workers end after their requests; the other variants share what it got.'
              ),
              keep: trans.__('Keep it'),
              lose: trans.__('Remove')
            }),
            () => removeVariant(client, name, variant)
          )
        }
      />
      <ScalingLine operation={operation} />
      <Totals operation={operation} />
      <EndpointEvents operation={operation} />
    </div>
  );
}

function ScalingLine(props: {
  operation: EndpointOperation;
}): React.ReactElement | null {
  const { trans } = useStudio();
  const { scaling } = props.operation;
  if (!scaling) {
    return null;
  }
  const { min_workers, max_workers, target, idle_seconds } = scaling;
  const bounds = trans.__(
    'Autoscaling: %1 to %2 workers for each variant.',
    min_workers,
    max_workers
  );
  const aim =
    scaling.metric === 'requests_in_flight'
      ? trans.__('Target: %1 requests in flight of a worker.', target)
      : scaling.metric === 'requests_per_second'
        ? trans.__('Target: %1 requests of a worker in a second.', target)
        : trans.__('Target: %1 waiting requests of a worker.', target);
  const sleep =
    min_workers === 0
      ? trans.__('None after %1 s without a request.', idle_seconds)
      : '';
  return <p>{[bounds, aim, sleep].join(' ')}</p>;
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

/** What was counted since the endpoint was deployed; curves are on the Monitor tab. */
function Totals(props: { operation: EndpointOperation }): React.ReactElement {
  const { trans } = useStudio();
  const { metrics } = props.operation;
  const numbers: [string, string][] = [
    [trans.__('Requests'), 'Invocations'],
    [trans.__('4xx errors'), 'Invocation4XXErrors'],
    [trans.__('5xx errors'), 'Invocation5XXErrors'],
    [trans.__('Errors of the model'), 'InvocationModelErrors'],
    [trans.__('In flight now'), 'ConcurrentRequests'],
    [trans.__('Captured'), 'DataCaptureRecords']
  ];
  return (
    <section aria-label={trans.__('Since it was deployed')}>
      <h2>{trans.__('Since it was deployed')}</h2>
      <dl className="atelier-EndpointNumbers">
        {numbers.map(([label, metric]) => (
          <div key={metric}>
            <dt>{label}</dt>
            <dd>{formatCount(metrics[metric] ?? 0)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
