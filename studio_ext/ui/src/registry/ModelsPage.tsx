/** Model groups on the left, the versions of the selected one on the right. */
import * as React from 'react';

import type { ModelGroup } from '../api';
import {
  EmptyState,
  ErrorBar,
  ErrorState,
  IColumn,
  List,
  LoadingState,
  PageHeader,
  SidePane,
  StateMark
} from '../components';
import { usePage, usePagedResource, useStudio } from '../frame';
import { VersionsTable } from './VersionsTable';

const FIRST_MODEL = `import kernel_tools as kt

version = kt.registry.register("my-model", model, run=run, sample_input=X.head())`;

export function ModelsPage(props: {
  selected: string | null;
}): React.ReactElement {
  const studio = useStudio();
  const page = usePage();
  const { client, trans } = studio;
  const models = usePagedResource<ModelGroup>(
    'models',
    model => model.name,
    async (query, signal) => {
      const reply = await client.models(query, signal);
      return { items: reply.models, next: reply.next_page_token };
    }
  );
  const columns = React.useMemo(
    (): IColumn<ModelGroup>[] => [
      {
        id: 'name',
        label: trans.__('Model'),
        width: 100,
        render: model => model.name,
        title: model => model.name
      },
      {
        id: 'versions',
        label: trans.__('Versions'),
        width: 76,
        isNumber: true,
        render: model => (
          <>
            {model.pending_count > 0 && (
              <>
                <StateMark
                  tone="wait"
                  label={trans.__('%1 waiting', model.pending_count)}
                />{' '}
              </>
            )}
            {model.version_count}
          </>
        )
      }
    ],
    [trans]
  );
  const { data, error } = models;
  if (data === null) {
    return (
      <div className="atelier-PageBody">
        {error ? (
          <ErrorState
            title={trans.__('The models could not be read')}
            error={error}
            retry={models.refresh}
          />
        ) : (
          <LoadingState rows={12} />
        )}
      </div>
    );
  }
  if (data.length === 0) {
    return (
      <div className="atelier-PageBody">
        <EmptyState
          title={trans.__('No models yet')}
          text={trans.__(
            'Register a fitted model to give it a version, a signature and a decision:'
          )}
          code={FIRST_MODEL}
          action={{
            label: trans.__('Open the quickstart notebook'),
            onClick: () => studio.openQuickstart()
          }}
        />
      </div>
    );
  }
  const selected = props.selected ?? data[0].name;
  return (
    <div className="atelier-PageBody atelier-Split">
      <PageHeader
        title={selected}
        crumbs={[{ label: trans.__('Models'), path: 'models' }]}
      />
      <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
      <div className="atelier-Split-columns">
        <SidePane label={trans.__('Models')}>
          <List
            label={trans.__('Models')}
            items={data}
            columns={columns}
            identify={model => model.name}
            selected={selected}
            onSelect={model => model && page.navigate(`model/${model.name}`)}
            hasMore={models.hasMore}
            isLoadingMore={models.isLoadingMore}
            onLoadMore={models.loadMore}
          />
        </SidePane>
        <VersionsTable key={selected} model={selected} />
      </div>
    </div>
  );
}
