/** The head of a job's page: how it stands, what belongs to it, and what can be done with it. */
import * as React from 'react';

import type { JobDetail } from '../api';
import {
  Button,
  IAction,
  IMenuItem,
  LinkChip,
  PageHeader,
  Time,
  confirmLoss,
  formatDuration
} from '../components';
import {
  IStudio,
  experimentsIcon,
  formatPath,
  jobsIcon,
  modelsIcon,
  runIcon,
  usePage,
  useStudio
} from '../frame';
import { cloneAsNotebook, deleteJob, doWithJob } from './calls';
import { JobChip, formatCost } from './pieces';
import { isEnd } from './state';

interface IHeaderProps {
  detail: JobDetail;
  action: IAction;
  onDeleted(): void;
}

export function JobHeader(props: IHeaderProps): React.ReactElement {
  const { trans } = useStudio();
  const { detail } = props;
  const { job } = detail;
  return (
    <PageHeader
      title={job.name}
      crumbs={[{ label: trans.__('Jobs'), path: 'jobs' }]}
      chip={<JobChip state={job.state} />}
      facts={
        <>
          <span>{job.user}</span>
          <Time value={job.created_at} />
          <span title={trans.__('Time that its code has run')}>
            {formatDuration(job.duration)}
          </span>
          {job.cost !== null && (
            <span>{formatCost(job.cost, job.currency)}</span>
          )}
          {job.attempts > 1 && (
            <span>{trans.__('%1 attempts', job.attempts)}</span>
          )}
          {job.is_spot && <span>{trans.__('spot')}</span>}
          <span className="atelier-mono atelier-ellipsis" title={job.entry}>
            {job.entry}
          </span>
        </>
      }
      links={<JobLinks detail={detail} />}
      actions={<PrimaryAction {...props} />}
      menu={useJobMenu(props)}
    />
  );
}

function PrimaryAction(props: IHeaderProps): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { detail, action } = props;
  const { name, state } = detail.job;
  if (!isEnd(state)) {
    return (
      <Button
        label={trans.__('Stop')}
        isBusy={action.isBusy}
        title={trans.__('Asks it to end, and ends it after %1', grace(detail))}
        onClick={() => void action.run(() => doWithJob(client, name, 'stop'))}
      />
    );
  }
  return (
    <Button
      kind="primary"
      label={trans.__('Rerun')}
      isBusy={action.isBusy}
      title={trans.__('The same source, parameters and inputs as a new job')}
      onClick={() =>
        void action.run(async () => {
          const made = await doWithJob(client, name, 'rerun');
          studio.open(`job/${made.name}`);
        })
      }
    />
  );
}

/** What belongs to the job, each a chip that opens it. */
function JobLinks(props: { detail: JobDetail }): React.ReactElement | null {
  const { trans } = useStudio();
  const { job, run, versions, spec } = props.detail;
  const origin = typeof spec.rerun_of === 'string' ? spec.rerun_of : null;
  if (!job.experiment && !run && versions.length === 0 && !origin) {
    return null;
  }
  return (
    <>
      {job.experiment && (
        <LinkChip
          icon={experimentsIcon}
          label={job.experiment}
          path={formatPath('experiments', job.experiment)}
        />
      )}
      {run && (
        <LinkChip
          icon={runIcon}
          label={trans.__('Run %1', run.name)}
          path={`run/${run.id}`}
        />
      )}
      {versions.map(({ model, version }) => (
        <LinkChip
          key={`${model}/${version}`}
          icon={modelsIcon}
          label={trans.__('%1 version %2', model, version)}
          path={formatPath('model', model, String(version))}
        />
      ))}
      {origin && (
        <LinkChip
          icon={jobsIcon}
          label={trans.__('Rerun of %1', origin)}
          path={`job/${origin}`}
        />
      )}
    </>
  );
}

function useJobMenu(props: IHeaderProps): IMenuItem[] {
  const studio = useStudio();
  const page = usePage();
  const { client, trans } = studio;
  const { detail, action } = props;
  const { job } = detail;
  const items: IMenuItem[] = [
    {
      label: trans.__('Copy as Python'),
      onSelect: () =>
        void studio.copy(
          `import kernel_tools as kt\n\njob = kt.jobs.get(${JSON.stringify(job.name)})`
        )
    },
    {
      label: trans.__('Clone as Notebook'),
      beginsGroup: true,
      onSelect: () =>
        void action.run(async () => {
          const path = await cloneAsNotebook(client, job.name);
          await studio.openFile(path);
        })
    }
  ];
  if (job.is_spot) {
    items.push({
      label: trans.__('Interrupt…'),
      isDisabled: job.state !== 'Running',
      onSelect: () => void askToInterrupt(studio, detail, action)
    });
  }
  items.push({
    label: trans.__('Delete…'),
    beginsGroup: true,
    isDisabled: !isEnd(job.state),
    onSelect: () =>
      void askToDelete(studio, detail, action).then(isDone => {
        if (isDone) {
          page.setTitle(job.name);
          props.onDeleted();
        }
      })
  });
  return items;
}

async function askToInterrupt(
  studio: IStudio,
  detail: JobDetail,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const { name } = detail.job;
  const spot = detail.spec.spot as { notice?: number } | null;
  const isSure = await confirmLoss({
    title: trans.__('Interrupt the job %1?', name),
    text: trans.__(
      'As a cloud does: it is told, has %1 to save, and is killed. It goes on from its newest checkpoint; work since then is done again.',
      formatDuration((spot?.notice ?? 120) * 1000)
    ),
    keep: trans.__('Let it run'),
    lose: trans.__('Interrupt')
  });
  if (isSure) {
    await action.run(() => doWithJob(client, name, 'interrupt'));
  }
}

async function askToDelete(
  studio: IStudio,
  detail: JobDetail,
  action: IAction
): Promise<boolean> {
  const { client, trans } = studio;
  const { name } = detail.job;
  const isSure = await confirmLoss({
    title: trans.__('Delete the job %1?', name),
    text: trans.__(
      'Its logs, checkpoints and %1 output files are lost for good. Its run and the model versions made from it stay.',
      detail.output_count
    ),
    keep: trans.__('Keep it'),
    lose: trans.__('Delete')
  });
  return isSure && (await action.run(() => deleteJob(client, name)));
}

function grace(detail: JobDetail): string {
  const seconds = Number(detail.spec.grace ?? 30);
  return formatDuration(seconds * 1000);
}
