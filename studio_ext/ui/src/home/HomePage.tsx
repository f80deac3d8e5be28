/** The first page: three columns, or the quickstart when there is nothing yet. */
import * as React from 'react';

import type { HomeReply } from '../api';
import { Button, Loaded, PageHeader, useAction, ErrorBar } from '../components';
import { useResource, useStudio } from '../frame';
import {
  EndpointItem,
  FailedJobItem,
  FailedRunItem,
  FiringRunItem,
  JobItem,
  PendingItem,
  RunItem
} from './items';

const QUICKSTART_CODE = `import kernel_tools as kt

with kt.experiments.start_run("my-experiment", name="first") as run:
    run.log_params({"depth": 6})
    for step in range(10):
        run.log_metric("loss", 1 / (step + 1), step=step)`;

export function HomePage(): React.ReactElement {
  const { client, trans } = useStudio();
  const home = useResource('home', signal => client.home(signal));
  return (
    <div className="atelier-PageBody atelier-Home">
      <Loaded
        resource={home}
        failure={trans.__('Home could not be read')}
        rows={10}
      >
        {data => (data.is_empty ? <Quickstart /> : <Overview home={data} />)}
      </Loaded>
    </div>
  );
}

/** The first start: how to begin, and nothing else. */
function Quickstart(): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  return (
    <section className="atelier-Quickstart" data-state="empty">
      <h1>{trans.__('Welcome to Atelier')}</h1>
      <p>
        {trans.__(
          'The quickstart goes from raw census data to a model that answers over HTTP: it trains, tracks, registers, approves and deploys, in under a minute.'
        )}
      </p>
      <Button
        kind="primary"
        label={trans.__('Open the quickstart notebook')}
        onClick={() => studio.openQuickstart()}
      />
      <p className="atelier-muted">
        {trans.__('Or track something of your own, in any notebook or script:')}
      </p>
      <pre tabIndex={0} aria-label={trans.__('Code that tracks a run')}>
        <code>{QUICKSTART_CODE}</code>
      </pre>
      <Button
        label={trans.__('Copy the code')}
        onClick={() => void studio.copy(QUICKSTART_CODE)}
      />
    </section>
  );
}

function Overview(props: { home: HomeReply }): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { home } = props;
  const approval = useAction();
  const failedEndpoints = home.endpoints.filter(e => e.state === 'Failed');
  const liveEndpoints = home.endpoints.filter(e => e.state !== 'Failed');
  const failedRuns = home.failed_runs;
  const recentRuns = home.recent_runs.filter(r => r.status !== 'RUNNING');
  const hiddenVersions =
    home.counts.pending_versions - home.pending_versions.length;
  const { running_jobs, waiting_jobs } = home.counts;
  const hiddenJobs = running_jobs + waiting_jobs - home.running_jobs.length;
  return (
    <>
      <PageHeader
        title={trans.__('Home')}
        facts={<HomeFacts counts={home.counts} />}
      />
      <ErrorBar error={approval.error} dismiss={approval.dismiss} />
      <div className="atelier-Home-columns">
        <Column
          title={trans.__('Now')}
          empty={trans.__('Nothing is running.')}
          isEmpty={
            home.running_jobs.length +
              home.running_runs.length +
              liveEndpoints.length ===
            0
          }
        >
          {home.running_jobs.map(job => (
            <JobItem key={job.name} job={job} />
          ))}
          {hiddenJobs > 0 && (
            <li>
              <button
                type="button"
                className="atelier-TextButton"
                onClick={() => studio.open('jobs')}
              >
                {trans._n(
                  'and %1 more job that has not ended',
                  'and %1 more jobs that have not ended',
                  hiddenJobs
                )}
              </button>
            </li>
          )}
          {home.running_runs.map(run => (
            <RunItem key={run.id} run={run} />
          ))}
          {liveEndpoints.map(endpoint => (
            <EndpointItem key={endpoint.name} endpoint={endpoint} />
          ))}
        </Column>
        <Column
          title={trans.__('Needs you')}
          empty={trans.__('Nothing waits for you.')}
          isEmpty={
            home.pending_versions.length +
              failedEndpoints.length +
              failedRuns.length +
              home.firing_runs.length +
              home.failed_jobs.length ===
            0
          }
        >
          {failedEndpoints.map(endpoint => (
            <EndpointItem key={endpoint.name} endpoint={endpoint} />
          ))}
          {home.pending_versions.map(version => (
            <PendingItem
              key={`${version.model}/${version.version}`}
              version={version}
              action={approval}
            />
          ))}
          {hiddenVersions > 0 && (
            <li className="atelier-muted">
              {trans._n(
                'and %1 more version that waits',
                'and %1 more versions that wait',
                hiddenVersions
              )}
            </li>
          )}
          {home.firing_runs.map(firing => (
            <FiringRunItem key={firing.run.id} firing={firing} />
          ))}
          {home.failed_jobs.map(job => (
            <FailedJobItem key={job.name} job={job} />
          ))}
          {failedRuns.map(run => (
            <FailedRunItem key={run.id} run={run} />
          ))}
        </Column>
        <Column
          title={trans.__('Continue')}
          empty={trans.__('No finished runs yet.')}
          isEmpty={recentRuns.length === 0}
          footer={
            <div className="atelier-Buttons">
              <Button
                label={trans.__('All experiments')}
                onClick={() => studio.open('experiments')}
              />
              <Button
                label={trans.__('Quickstart')}
                onClick={() => studio.openQuickstart()}
              />
            </div>
          }
        >
          {recentRuns.map(run => (
            <RunItem key={run.id} run={run} />
          ))}
        </Column>
      </div>
    </>
  );
}

function HomeFacts(props: { counts: HomeReply['counts'] }): React.ReactElement {
  const { trans } = useStudio();
  const { counts } = props;
  return (
    <>
      <span>{trans._n('%1 run', '%1 runs', counts.runs)}</span>
      <span>
        {trans._n('%1 experiment', '%1 experiments', counts.experiments)}
      </span>
      <span>{trans._n('%1 job', '%1 jobs', counts.jobs)}</span>
      <span>{trans._n('%1 model', '%1 models', counts.models)}</span>
      <span>
        {trans.__(
          '%1 of %2 endpoints in service',
          counts.endpoints_in_service,
          counts.endpoints
        )}
      </span>
    </>
  );
}

function Column(props: {
  title: string;
  empty: string;
  isEmpty: boolean;
  footer?: React.ReactNode;
  children: React.ReactNode;
}): React.ReactElement {
  return (
    <section className="atelier-Home-column" aria-label={props.title}>
      <h2>{props.title}</h2>
      {props.isEmpty ? (
        <p className="atelier-muted">{props.empty}</p>
      ) : (
        <ul>{props.children}</ul>
      )}
      {props.footer}
    </section>
  );
}
