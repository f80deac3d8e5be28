/** Models on the left, found by a filter; the selected one with its versions on the right. */
import * as React from 'react';

import type { ModelGroup } from '../api';
import {
  Button,
  EmptyState,
  ErrorBar,
  ErrorState,
  FilterBox,
  IColumn,
  List,
  LoadingState,
  PageHeader,
  SidePane,
  StateMark,
  useAction
} from '../components';
import { formatPath, usePage, usePagedResource, useStudio } from '../frame';
import { ModelView } from './ModelView';
import { findModels } from './calls';
import { askToCreateModel } from './changes';

const FIRST_MODEL = `import kernel_tools as kt

version = kt.registry.register("my-model", model, run=run, sample_input=X.head())`;

export function ModelsPage(props: {
  selected: string | null;
}): React.ReactElement {
  const studio = useStudio();
  const page = usePage();
  const { client, trans } = studio;
  const [filter, setFilter] = React.useState('');
  const action = useAction();
  const models = usePagedResource<ModelGroup>(
    JSON.stringify(['models', filter]),
    model => model.name,
    async (query, signal) => {
      const reply = await findModels(client, { ...query, filter }, signal);
      return { items: reply.models, next: reply.next_page_token };
    }
  );
  const columns = useColumns();
  const { data, error } = models;
  const isFilterWrong = filter !== '' && data === null && error?.status === 400;
  if (data === null && !isFilterWrong && filter === '') {
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
  const create = () => void askToCreateModel(studio, action);
  if (data?.length === 0 && filter === '' && props.selected === null) {
    return (
      <div className="atelier-PageBody">
        <ErrorBar error={action.error} dismiss={action.dismiss} />
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
  const selected = props.selected ?? data?.[0]?.name ?? null;
  return (
    <div className="atelier-PageBody atelier-Split">
      <PageHeader
        title={selected ?? trans.__('Models')}
        crumbs={[{ label: trans.__('Models'), path: 'models' }]}
        actions={<Button label={trans.__('New model')} onClick={create} />}
      />
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <ErrorBar
        error={isFilterWrong ? null : error}
        prefix={trans.__('Not up to date:')}
      />
      <div className="atelier-Split-columns">
        <SidePane label={trans.__('Models')}>
          <FilterBox
            label={trans.__('Filter models')}
            placeholder="tags.team = 'risk'"
            value={filter}
            error={isFilterWrong ? error.message : null}
            onSubmit={setFilter}
          />
          {data?.length === 0 ? (
            <p className="atelier-muted">{trans.__('No model matches.')}</p>
          ) : (
            <List
              label={trans.__('Models')}
              items={data ?? []}
              columns={columns}
              identify={model => model.name}
              selected={selected}
              onSelect={model =>
                model && page.navigate(formatPath('model', model.name))
              }
              hasMore={models.hasMore}
              isLoadingMore={models.isLoadingMore}
              onLoadMore={models.loadMore}
            />
          )}
        </SidePane>
        {selected !== null && <ModelView key={selected} name={selected} />}
      </div>
    </div>
  );
}

function useColumns(): IColumn<ModelGroup>[] {
  const { trans } = useStudio();
  return React.useMemo(
    () => [
      {
        id: 'name',
        label: trans.__('Model'),
        width: 100,
        render: model => model.name,
        title: model =>
          [model.name, model.description.split('\n')[0]]
            .filter(part => part)
            .join('\n')
      },
      {
        id: 'versions',
        label: trans.__('Latest'),
        width: 84,
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
            {model.latest_version !== null &&
              model.latest_version === model.approved_version && (
                <>
                  <StateMark
                    tone="good"
                    label={trans.__('The latest version is approved')}
                  />{' '}
                </>
              )}
            {model.latest_version ?? '—'}
          </>
        ),
        title: model => trans.__('%1 versions', model.version_count)
      }
    ],
    [trans]
  );
}
