/** Experiments on the left, the runs of the selected one on the right. */
import * as React from 'react';

import type { Experiment } from '../api';
import {
  EmptyState,
  ErrorState,
  IColumn,
  List,
  LoadingState,
  PageHeader,
  SidePane,
  formatNumber
} from '../components';
import { formatPath, usePage, usePagedResource, useStudio } from '../frame';
import { RunsTable } from './RunsTable';
import type { ITableMemory } from './table/memory';

const FIRST_RUN = `import kernel_tools as kt

with kt.experiments.start_run("my-experiment", name="first") as run:
    run.log_metric("accuracy", 0.9)`;

const NONE: Experiment[] = [];

export function ExperimentsPage(props: {
  selected: string | null;
  memory: ITableMemory | null;
}): React.ReactElement {
  const studio = useStudio();
  const page = usePage();
  const { client, trans } = studio;
  const { selected } = props;
  const experiments = usePagedResource<Experiment>(
    'experiments',
    experiment => experiment.name,
    async (query, signal) => {
      const reply = await client.experiments(query, signal);
      return { items: reply.experiments, next: reply.next_page_token };
    }
  );
  const columns = React.useMemo(
    (): IColumn<Experiment>[] => [
      {
        id: 'name',
        label: trans.__('Experiment'),
        width: 120,
        render: experiment => experiment.name,
        title: experiment => experiment.name
      },
      {
        id: 'runs',
        label: trans.__('Runs'),
        width: 60,
        isNumber: true,
        render: experiment => formatNumber(experiment.run_count)
      }
    ],
    [trans]
  );

  const { data, error } = experiments;
  // The runs of an experiment that is named need not wait for the list of all.
  if (data === null && (selected === null || error)) {
    return (
      <div className="atelier-PageBody">
        {error ? (
          <ErrorState
            title={trans.__('The experiments could not be read')}
            error={error}
            retry={experiments.refresh}
          />
        ) : (
          <LoadingState rows={12} />
        )}
      </div>
    );
  }
  if (data?.length === 0) {
    return (
      <div className="atelier-PageBody">
        <EmptyState
          title={trans.__('No experiments yet')}
          text={trans.__(
            'An experiment is a group of runs. The first run makes it; paste this into a notebook:'
          )}
          code={FIRST_RUN}
          action={{
            label: trans.__('Open the quickstart notebook'),
            onClick: () => studio.openQuickstart()
          }}
        />
      </div>
    );
  }
  return (
    <div className="atelier-PageBody atelier-Split">
      <PageHeader
        title={selected ?? trans.__('All runs')}
        crumbs={
          selected
            ? [{ label: trans.__('Experiments'), path: 'experiments' }]
            : undefined
        }
      />
      <div className="atelier-Split-columns">
        <SidePane label={trans.__('Experiments')}>
          <List
            label={trans.__('Experiments')}
            items={data ?? NONE}
            columns={columns}
            identify={experiment => experiment.name}
            selected={selected}
            onSelect={experiment =>
              page.navigate(
                experiment
                  ? formatPath('experiments', experiment.name)
                  : 'experiments'
              )
            }
            hasMore={experiments.hasMore}
            isLoadingMore={experiments.isLoadingMore}
            onLoadMore={experiments.loadMore}
          />
        </SidePane>
        <RunsTable
          key={selected ?? ''}
          experiment={selected}
          memory={props.memory}
        />
      </div>
    </div>
  );
}
