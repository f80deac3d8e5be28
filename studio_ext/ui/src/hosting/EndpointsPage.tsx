/** All endpoints, with their state. */
import * as React from 'react';

import type { EndpointRecord } from '../api';
import {
  EmptyState,
  EndpointChip,
  ErrorBar,
  ErrorState,
  IColumn,
  List,
  LoadingState,
  PageHeader,
  Time,
  timeWidth
} from '../components';
import { usePagedResource, useStudio } from '../frame';

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
      id: 'url',
      label: trans.__('Address'),
      width: 200,
      render: ({ url }) => url ?? '',
      title: ({ url }) => url ?? undefined
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
          <PageHeader title={trans.__('Endpoints')} />
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
