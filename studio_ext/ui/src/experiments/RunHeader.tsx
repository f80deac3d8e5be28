/** The head of a run's page: where it belongs, how it stands, what belongs to it, and what can be done with it. */
import * as React from 'react';

import type { RunDetail } from '../api';
import {
  IAction,
  IMenuItem,
  LinkChip,
  PageHeader,
  RunChip,
  StateChip,
  Time,
  ask,
  confirmLoss,
  durationOf
} from '../components';
import {
  IStudio,
  endpointsIcon,
  formatPath,
  jobsIcon,
  modelsIcon,
  useStudio
} from '../frame';
import { changeRun, deleteRun, restoreRun } from './runCalls';

const FAVOURITE_TAG = 'atelier.favourite';
const JOB_TAG = 'atelier.job';
const ID = /^[0-9a-f]{32}$/;

export function RunHeader(props: {
  detail: RunDetail;
  action: IAction;
}): React.ReactElement {
  const { trans } = useStudio();
  const { detail, action } = props;
  const { run, parents } = detail;
  const isDeleted = run.lifecycle === 'deleted';
  return (
    <PageHeader
      title={run.name}
      crumbs={[
        { label: trans.__('Experiments'), path: 'experiments' },
        {
          label: run.experiment,
          path: formatPath('experiments', run.experiment)
        },
        ...parents.map(({ id, name }) => ({ label: name, path: `run/${id}` }))
      ]}
      chip={
        <>
          <RunChip status={run.status} />
          {isDeleted && <StateChip tone="plain" label={trans.__('Deleted')} />}
        </>
      }
      facts={
        <>
          <span>{run.user}</span>
          <Time value={run.started_at} />
          <span>{durationOf(run.started_at, run.ended_at)}</span>
          <span className="atelier-mono">{run.id}</span>
        </>
      }
      links={<RunLinks detail={detail} />}
      actions={<Favourite detail={detail} action={action} />}
      menu={useRunMenu(detail, action)}
    />
  );
}

function Favourite(props: {
  detail: RunDetail;
  action: IAction;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { run } = props.detail;
  const isFavourite = run.tags[FAVOURITE_TAG] === 'true';
  const label = trans.__('Favourite');
  return (
    <button
      type="button"
      className="atelier-IconButton atelier-Star"
      aria-pressed={isFavourite}
      aria-label={label}
      title={
        isFavourite ? trans.__('No longer a favourite') : trans.__('Favourite')
      }
      disabled={props.action.isBusy || run.lifecycle === 'deleted'}
      onClick={() =>
        void props.action.run(() =>
          changeRun(client, run.id, { is_favourite: !isFavourite })
        )
      }
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path d="M8 1.600 9.950 5.700l4.500.600-3.300 3.100.800 4.450L8 11.650 4.050 13.850l.800-4.450-3.300-3.100 4.500-.600z" />
      </svg>
    </button>
  );
}

/** What belongs to the run, each a chip that opens it. */
function RunLinks(props: { detail: RunDetail }): React.ReactElement | null {
  const studio = useStudio();
  const { trans } = studio;
  const { run, versions, endpoints } = props.detail;
  const job = run.tags[JOB_TAG];
  const source = run.tags['mlflow.source.name'];
  const isFile = !!source && /\.(ipynb|py|R|jl|sh)$/.test(source);
  if (versions.length + endpoints.length === 0 && !job && !isFile) {
    return null;
  }
  return (
    <>
      {versions.map(({ model, version }) => (
        <LinkChip
          key={`${model}/${version}`}
          icon={modelsIcon}
          label={trans.__('%1 version %2', model, version)}
          path={formatPath('model', model, String(version))}
        />
      ))}
      {endpoints.map(({ name }) => (
        <LinkChip
          key={name}
          icon={endpointsIcon}
          label={name}
          path={`endpoint/${name}`}
        />
      ))}
      {job && (
        <LinkChip
          icon={jobsIcon}
          label={trans.__('Job %1', job)}
          path={formatPath('job', job)}
        />
      )}
      {isFile && (
        <button
          type="button"
          className="atelier-LinkChip"
          title={source}
          onClick={() => void studio.openFile(source)}
        >
          <span className="atelier-ellipsis">{source.split('/').pop()}</span>
        </button>
      )}
    </>
  );
}

function useRunMenu(detail: RunDetail, action: IAction): IMenuItem[] {
  const studio = useStudio();
  const { client, trans } = studio;
  const { run, parents } = detail;
  const parent = parents[parents.length - 1];
  const items: IMenuItem[] = [
    {
      label: trans.__('Copy Run ID'),
      onSelect: () => void studio.copy(run.id)
    },
    {
      label: trans.__('Copy as Python'),
      onSelect: () =>
        void studio.copy(
          `import kernel_tools as kt\n\nrun = kt.experiments.get_run("${run.id}")`
        )
    },
    {
      label: trans.__('Compare With…'),
      onSelect: () => void action.run(() => askToCompare(studio, detail))
    }
  ];
  if (parent) {
    items.push({
      label: trans.__('Open Parent Run'),
      onSelect: () => studio.open(`run/${parent.id}`)
    });
  }
  if (run.lifecycle === 'deleted') {
    items.push({
      label: trans.__('Restore'),
      onSelect: () => void action.run(() => restoreRun(client, run.id))
    });
  } else {
    items.push(
      {
        label: trans.__('Rename…'),
        onSelect: () => void askToRename(studio, detail, action)
      },
      {
        label: trans.__('Delete…'),
        onSelect: () => void askToDelete(studio, detail, action)
      }
    );
  }
  return items;
}

async function askToRename(
  studio: IStudio,
  detail: RunDetail,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const { run } = detail;
  const answer = await ask({
    title: trans.__('Rename the run'),
    questions: [
      {
        name: 'name',
        label: trans.__('Name'),
        value: run.name,
        isRequired: true
      }
    ],
    accept: trans.__('Rename')
  });
  if (answer && answer.name !== run.name) {
    await action.run(() => changeRun(client, run.id, { name: answer.name }));
  }
}

async function askToDelete(
  studio: IStudio,
  detail: RunDetail,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const { run } = detail;
  const isSure = await confirmLoss({
    title: trans.__('Delete the run %1?', run.name),
    text: trans.__(
      'It leaves all lists with its %1 metrics and %2 files; %3 runs inside it and %4 model versions made from it stay. It can be restored from this page until “atelier experiments gc” removes it for good.',
      Object.keys(run.metrics).length,
      detail.artifact_count,
      detail.child_count,
      detail.versions.length
    ),
    keep: trans.__('Keep it'),
    lose: trans.__('Delete')
  });
  if (isSure) {
    await action.run(() => deleteRun(client, run.id));
  }
}

/** Ask for another run of the experiment by its name or id, and open the comparison. */
async function askToCompare(studio: IStudio, detail: RunDetail): Promise<void> {
  const { client, trans } = studio;
  const { run } = detail;
  const { runs } = await client.runs({
    experiment: run.experiment,
    limit: 100
  });
  const others = runs.filter(({ id }) => id !== run.id);
  const answer = await ask({
    title: trans.__('Compare %1 with another run', run.name),
    questions: [
      {
        name: 'chosen',
        kind: 'choice',
        label: trans.__('Newest runs of %1', run.experiment),
        value: others[0]?.id ?? '',
        choices: others.map(({ id, name }) => ({ value: id, label: name }))
      },
      {
        name: 'id',
        label: trans.__('Or the id of any other run'),
        pattern: ' *[0-9a-f]{32} *'
      }
    ],
    accept: trans.__('Compare')
  });
  const other = answer && (answer.id.trim() || answer.chosen);
  if (other && ID.test(other)) {
    studio.open(`compare/${run.id}~${other}`);
  }
}
