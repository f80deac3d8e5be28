/** The asynchronous requests of an endpoint: what waits, what failed and why, another try. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { AsyncMetrics, AsyncRecord, Client } from '../api';
import {
  Button,
  EmptyState,
  ErrorBar,
  ErrorState,
  IAction,
  IColumn,
  List,
  LoadingState,
  SelectField,
  Time,
  ask,
  StateChip,
  Tone,
  formatBytes,
  formatCount,
  formatDuration,
  useAction,
  useChecks
} from '../components';
import { usePagedResource, useResource, useStudio } from '../frame';
import { AsyncDrawer } from './AsyncDrawer';
import {
  getAsyncMetrics,
  invokeAsync,
  listAsyncRequests,
  retryAsyncRequest
} from './calls';

const STATES = [
  'Queued',
  'InProgress',
  'Completed',
  'Failed',
  'Expired',
  'Cancelled'
] as const;
type State = (typeof STATES)[number];

/** The states that a request can be tried again from. */
export const ENDED: readonly string[] = ['Failed', 'Expired', 'Cancelled'];

export function AsyncQueue(props: { name: string }): React.ReactElement {
  const { client, trans } = useStudio();
  const { name } = props;
  const [state, setState] = React.useState<State | ''>('');
  const [selected, setSelected] = React.useState<string | null>(null);
  const action = useAction();
  const requests = usePagedResource<AsyncRecord>(
    `endpoint-async/${name}/${state}`,
    request => request.id,
    async (query, signal) => {
      const page = await listAsyncRequests(
        client,
        name,
        { ...query, state: state || null },
        signal
      );
      return { items: page.requests, next: page.next_page_token };
    }
  );
  const metrics = useResource<AsyncMetrics>(
    `endpoint-async-metrics/${name}`,
    signal => getAsyncMetrics(client, name, signal)
  );
  const refresh = () => {
    requests.refresh();
    metrics.refresh();
  };
  const run = (work: () => Promise<unknown>) => action.run(work).then(refresh);
  const { data, error } = requests;
  const chosen = useChecks(
    data ?? [],
    ({ id }) => id,
    `${name}/${state}`,
    request => ENDED.includes(request.state)
  );
  const shown = data?.find(({ id }) => id === selected);
  return (
    <div className="atelier-EndpointTable">
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      {metrics.data && <QueueNumbers metrics={metrics.data} />}
      <div className="atelier-Buttons">
        <SelectField
          label={trans.__('State')}
          value={state}
          onChange={value => setState(value as State | '')}
          options={[
            { value: '', label: trans.__('All') },
            ...STATES.map(value => ({ value, label: value }))
          ]}
        />
        <Button
          label={trans.__('Queue a file…')}
          isBusy={action.isBusy}
          onClick={() => void askFile(name, action, trans, client, refresh)}
        />
        {chosen.items.length > 0 && (
          <Button
            label={trans.__('Try %1 again', chosen.items.length)}
            isBusy={action.isBusy}
            onClick={() =>
              run(() => retryAll(client, name, chosen.items)).then(chosen.clear)
            }
          />
        )}
      </div>
      {data === null ? (
        error ? (
          <ErrorState
            title={trans.__('The queue could not be read')}
            error={error}
            retry={requests.refresh}
          />
        ) : (
          <LoadingState rows={6} />
        )
      ) : data.length === 0 ? (
        <EmptyState
          title={
            state
              ? trans.__('No request is %1', state)
              : trans.__('No asynchronous requests yet')
          }
          text={trans.__(
            'Large or slow requests are queued and answered later; their outputs appear in files. Queue one from code:'
          )}
          code={[
            `request = kt.hosting.get(${JSON.stringify(name)}).invoke_async("rows.csv")`,
            'request.wait().output_location'
          ].join('\n')}
        />
      ) : (
        <>
          <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
          <div className="atelier-Split-columns">
            <List
              label={trans.__('Asynchronous requests')}
              items={data}
              columns={columnsOf(trans)}
              identify={({ id }) => id}
              nameOf={({ id }) => id}
              checks={chosen.checks}
              selected={selected}
              onSelect={request => setSelected(request?.id ?? null)}
              hasMore={requests.hasMore}
              isLoadingMore={requests.isLoadingMore}
              onLoadMore={requests.loadMore}
            />
            {shown && (
              <AsyncDrawer
                endpoint={name}
                request={shown}
                action={action}
                onChange={refresh}
                onClose={() => setSelected(null)}
              />
            )}
          </div>
        </>
      )}
    </div>
  );
}

function QueueNumbers(props: { metrics: AsyncMetrics }): React.ReactElement {
  const { trans } = useStudio();
  const { metrics } = props;
  const counts = metrics.counts as { [state: string]: number };
  const facts: [string, string][] = [
    [trans.__('Backlog'), formatCount(metrics.backlog)],
    [
      trans.__('Oldest of it'),
      metrics.backlog
        ? formatDuration(1000 * Number(metrics.oldest_seconds))
        : '–'
    ],
    ...STATES.map((state): [string, string] => [
      state,
      formatCount(counts[state] ?? 0)
    ])
  ];
  return (
    <dl className="atelier-EndpointNumbers">
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const TONES: { [state: string]: Tone } = {
  Queued: 'wait',
  InProgress: 'live',
  Completed: 'good',
  Failed: 'bad',
  Expired: 'warn',
  Cancelled: 'plain'
};

export function AsyncChip(props: { state: string }): React.ReactElement {
  return <StateChip tone={TONES[props.state] ?? 'plain'} label={props.state} />;
}

function columnsOf(trans: TranslationBundle): IColumn<AsyncRecord>[] {
  return [
    {
      id: 'id',
      label: trans.__('Inference id'),
      width: 180,
      render: ({ id }) => id,
      title: ({ id }) => id
    },
    {
      id: 'state',
      label: trans.__('State'),
      width: 120,
      render: ({ state }) => <AsyncChip state={state} />
    },
    {
      id: 'created_at',
      label: trans.__('Queued'),
      width: 120,
      render: ({ created_at }) => <Time value={created_at} />
    },
    {
      id: 'took',
      label: trans.__('Took'),
      width: 90,
      render: ({ started_at, finished_at }) =>
        started_at !== null && finished_at !== null
          ? formatDuration(finished_at - started_at)
          : ''
    },
    {
      id: 'attempts',
      label: trans.__('Attempts'),
      width: 80,
      render: ({ attempts }) => attempts
    },
    {
      id: 'input',
      label: trans.__('Input'),
      width: 90,
      render: ({ input_bytes }) => formatBytes(input_bytes)
    },
    {
      id: 'message',
      label: trans.__('Message'),
      width: 360,
      render: ({ message }) => message,
      title: ({ message }) => message || undefined
    }
  ];
}

/** Try each of them again; all are tried before the first failure is told. */
async function retryAll(
  client: Client,
  name: string,
  requests: AsyncRecord[]
): Promise<void> {
  const ends = await Promise.allSettled(
    requests.map(({ id }) => retryAsyncRequest(client, name, id))
  );
  for (const end of ends) {
    if (end.status === 'rejected') {
      throw end.reason;
    }
  }
}

async function askFile(
  name: string,
  action: IAction,
  trans: TranslationBundle,
  client: Client,
  onDone: () => void
): Promise<void> {
  const answers = await ask({
    title: trans.__('Queue a file for %1', name),
    text: trans.__('The file is read when its turn comes.'),
    accept: trans.__('Queue'),
    questions: [
      {
        name: 'path',
        label: trans.__('Path of the file on the server'),
        placeholder: '/data/rows.csv',
        isRequired: true
      },
      {
        name: 'output',
        label: trans.__('Path of the output'),
        help: trans.__('Empty is a file in the folder of the endpoint.')
      }
    ]
  });
  if (answers) {
    const { path, output } = answers;
    await action.run(() => invokeAsync(client, name, { path, output }));
    onDone();
  }
}
