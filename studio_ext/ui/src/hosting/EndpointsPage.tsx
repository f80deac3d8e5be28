/** All endpoints, with their state. */
import * as React from 'react';

import type { EndpointRecord, Glance } from '../api';
import {
  Button,
  EmptyState,
  EndpointChip,
  ErrorBar,
  ErrorState,
  IColumn,
  List,
  LoadingState,
  PageHeader,
  Sparkline,
  Time,
  formatLatency,
  formatNumber,
  timeWidth
} from '../components';
import { usePagedResource, useResource, useStudio } from '../frame';
import { glance } from './calls';

/** Endpoints whose traffic is shown in the list. */
const MOST_AT_A_GLANCE = 100;

const FIRST_ENDPOINT = `import kernel_tools as kt

endpoint = kt.hosting.deploy("my-model", version=1, name="my-endpoint")
endpoint.predict(X.head())`;

export function EndpointsPage(): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const [selected, setSelected] = React.useState<string | null>(null);
  const endpoints = usePagedResource<EndpointRecord>(
    'endpoints',
    endpoint => endpoint.name,
    async (query, signal) => {
      const reply = await client.endpoints(query, signal);
      return { items: reply.endpoints, next: reply.next_page_token };
    }
  );
  const { data, error } = endpoints;
  const names = data?.map(({ name }) => name).slice(0, MOST_AT_A_GLANCE) ?? [];
  const glances = useResource<Map<string, Glance>>(
    `endpoint-glances/${names.join('/')}`,
    async signal => {
      const reply = await glance(client, names, signal);
      return new Map(reply.glances.map(one => [one.name, one]));
    }
  );
  const seen = (name: string) => glances.data?.get(name);
  const open = (path: string) => () => studio.open(path);
  const columns: IColumn<EndpointRecord>[] = [
    {
      id: 'name',
      label: trans.__('Name'),
      width: 150,
      render: ({ name }) => (
        <button
          type="button"
          tabIndex={-1}
          className="atelier-TextButton atelier-ellipsis"
          onClick={open(`endpoint/${name}`)}
        >
          {name}
        </button>
      ),
      title: ({ name }) => name
    },
    {
      id: 'state',
      label: trans.__('State'),
      width: 110,
      render: ({ state }) => <EndpointChip state={state} />
    },
    {
      id: 'model',
      label: trans.__('Model'),
      width: 200,
      render: ({ model, version }) => (
        <button
          type="button"
          tabIndex={-1}
          className="atelier-TextButton atelier-ellipsis"
          onClick={open(`model/${model}/${version}`)}
        >
          {trans.__('%1 version %2', model, version)}
        </button>
      ),
      title: ({ model, version }) => trans.__('%1 version %2', model, version)
    },
    {
      id: 'workers',
      label: trans.__('Workers'),
      width: 80,
      render: ({ name }) => {
        const found = seen(name);
        return found ? trans.__('%1 of %2', found.ready, found.workers) : '';
      }
    },
    {
      id: 'requests',
      label: trans.__('Requests a second'),
      width: 210,
      render: ({ name }) => {
        const found = seen(name);
        return (
          found && (
            <span className="atelier-EndpointGlance">
              <span>
                {found.requests_per_second === null
                  ? '–'
                  : formatNumber(found.requests_per_second)}
              </span>
              <Sparkline
                label={trans.__('Requests of the last 15 minutes')}
                steps={found.requests.map((_, place) => place)}
                values={found.requests.map(rate => rate ?? NaN)}
              />
            </span>
          )
        );
      }
    },
    {
      id: 'latency',
      label: trans.__('p50 / p99'),
      width: 150,
      render: ({ name }) => {
        const found = seen(name);
        return found?.latency_p50 == null || found.latency_p99 == null
          ? ''
          : `${formatLatency(Number(found.latency_p50))} / ${formatLatency(Number(found.latency_p99))}`;
      },
      title: () => trans.__('Of the model, in the last 15 minutes')
    },
    {
      id: 'url',
      label: trans.__('Address'),
      width: 200,
      render: ({ url }) => url ?? '',
      title: ({ url }) => url ?? undefined
    },
    {
      id: 'variants',
      label: trans.__('Variants'),
      width: 130,
      render: ({ name }) => sharesOf(seen(name)),
      title: ({ name }) => sharesOf(seen(name)) || undefined
    },
    {
      id: 'created_at',
      label: trans.__('Deployed'),
      width: timeWidth(studio.settings),
      render: ({ created_at }) => <Time value={created_at} />
    },
    {
      id: 'reason',
      label: trans.__('Reason'),
      width: 260,
      render: ({ reason }) => reason,
      title: ({ reason }) => reason || undefined
    }
  ];
  return (
    <div className="atelier-PageBody atelier-Split">
      {data === null ? (
        error ? (
          <ErrorState
            title={trans.__('The endpoints could not be read')}
            error={error}
            retry={endpoints.refresh}
          />
        ) : (
          <LoadingState rows={12} />
        )
      ) : data.length === 0 ? (
        <EmptyState
          title={trans.__('No endpoints yet')}
          text={trans.__(
            'An endpoint is a model version that answers over HTTP from this machine. Deploy one from its page, or from code:'
          )}
          code={FIRST_ENDPOINT}
          action={{
            label: trans.__('Open models'),
            onClick: open('models')
          }}
        />
      ) : (
        <>
          <PageHeader
            title={trans.__('Endpoints')}
            actions={
              <Button
                label={trans.__('Batch transforms')}
                onClick={open('batch-transforms')}
              />
            }
          />
          <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
          <List
            label={trans.__('Endpoints')}
            items={data}
            columns={columns}
            identify={({ name }) => name}
            selected={selected}
            onSelect={endpoint => setSelected(endpoint?.name ?? null)}
            onOpen={({ name }) => studio.open(`endpoint/${name}`)}
            hasMore={endpoints.hasMore}
            isLoadingMore={endpoints.isLoadingMore}
            onLoadMore={endpoints.loadMore}
          />
        </>
      )}
    </div>
  );
}

/** The parts of the requests that variants get; empty if there is one alone. */
function sharesOf(found: Glance | undefined): string {
  const shares = Object.entries(found?.share ?? {});
  return shares.length < 2
    ? ''
    : shares
        .map(([name, share]) => `${name} ${Math.round(100 * Number(share))} %`)
        .join(', ');
}
