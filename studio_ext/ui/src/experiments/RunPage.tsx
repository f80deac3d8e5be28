/** One run: its numbers, its curves and its files. */
import * as React from 'react';

import type { RunDetail } from '../api';
import {
  FactTable,
  LinkChip,
  Loaded,
  PageHeader,
  RunChip,
  Tabs,
  Time,
  durationOf,
  metricFacts,
  textFacts
} from '../components';
import {
  endpointsIcon,
  formatPath,
  modelsIcon,
  usePageTitle,
  useResource,
  useStudio
} from '../frame';
import { Artifacts } from './Artifacts';
import { Charts } from './Charts';

export function RunPage(props: { id: string }): React.ReactElement {
  const { client, trans } = useStudio();
  const detail = useResource(`run/${props.id}`, signal =>
    client.run(props.id, signal)
  );
  usePageTitle(detail.data?.run.name);
  return (
    <div className="atelier-PageBody">
      <Loaded
        resource={detail}
        failure={trans.__('The run could not be read')}
        rows={12}
      >
        {data => <RunView detail={data} />}
      </Loaded>
    </div>
  );
}

function RunView(props: { detail: RunDetail }): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { run, artifacts, versions, endpoints } = props.detail;
  const links = [
    ...versions.map(({ model, version }) => (
      <LinkChip
        key={`${model}/${version}`}
        icon={modelsIcon}
        label={trans.__('%1 version %2', model, version)}
        path={`model/${model}/${version}`}
      />
    )),
    ...endpoints.map(({ name }) => (
      <LinkChip
        key={name}
        icon={endpointsIcon}
        label={name}
        path={`endpoint/${name}`}
      />
    ))
  ];
  return (
    <>
      <PageHeader
        title={run.name}
        crumbs={[
          { label: trans.__('Experiments'), path: 'experiments' },
          {
            label: run.experiment,
            path: formatPath('experiments', run.experiment)
          }
        ]}
        chip={<RunChip status={run.status} />}
        facts={
          <>
            <span>{run.user}</span>
            <Time value={run.started_at} />
            <span>{durationOf(run.started_at, run.ended_at)}</span>
            <span className="atelier-mono">{run.id}</span>
          </>
        }
        links={links.length > 0 ? links : undefined}
        menu={[
          {
            label: trans.__('Copy Run ID'),
            onSelect: () => void studio.copy(run.id)
          }
        ]}
      />
      <Tabs
        label={trans.__('Parts of the run')}
        tabs={[
          {
            id: 'overview',
            label: trans.__('Overview'),
            render: () => (
              <div className="atelier-Columns">
                <FactTable
                  caption={trans.__('Metrics')}
                  facts={metricFacts(run.metrics)}
                  empty={trans.__('No metrics were logged.')}
                />
                <FactTable
                  caption={trans.__('Parameters')}
                  facts={textFacts(run.params)}
                  empty={trans.__('No parameters were logged.')}
                />
                <FactTable
                  caption={trans.__('Tags')}
                  facts={textFacts(run.tags)}
                  empty={trans.__('No tags.')}
                />
              </div>
            )
          },
          {
            id: 'charts',
            label: trans.__('Charts'),
            render: () => <Charts run={run} />
          },
          {
            id: 'artifacts',
            label: trans.__('Artifacts (%1)', artifacts.length),
            render: () => <Artifacts run={run} artifacts={artifacts} />
          }
        ]}
      />
    </>
  );
}
