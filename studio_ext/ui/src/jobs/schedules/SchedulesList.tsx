/** All schedules: when they are due, what came of the last time, and what can be done with them. */
import { Notification } from '@jupyterlab/apputils';
import * as React from 'react';

import type { JobRecord, ScheduleRecord } from '../../api';
import {
  Button,
  EmptyState,
  ErrorBar,
  ErrorState,
  IAction,
  LoadingState,
  confirmLoss,
  useAction
} from '../../components';
import { IStudio, formatPath, usePagedResource, useStudio } from '../../frame';
import { EditSchedule } from './EditSchedule';
import { ScheduleRow } from './ScheduleRow';
import {
  changeSchedule,
  deleteSchedule,
  listSchedules,
  runSchedule
} from './calls';

/** A schedule and the newest job that it has made. */
export interface IScheduleItem {
  schedule: ScheduleRecord;
  lastJob: JobRecord | null;
}

const FIRST_SCHEDULE = `import kernel_tools as kt

kt.jobs.create_schedule("nightly", "report.ipynb", cron="0 3 * * *")`;

export function SchedulesList(): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const [edited, setEdited] = React.useState<string | null>(null);
  const action = useAction();
  const schedules = usePagedResource<IScheduleItem>(
    'schedules',
    ({ schedule }) => schedule.name,
    async (query, signal) => {
      const reply = await listSchedules(client, query, signal);
      const items = reply.schedules.map(schedule => ({
        schedule,
        lastJob: reply.last_jobs[schedule.name] ?? null
      }));
      return { items, next: reply.next_page_token };
    }
  );
  const { data, error } = schedules;
  if (data === null) {
    return error ? (
      <ErrorState
        title={trans.__('The schedules could not be read')}
        error={error}
        retry={schedules.refresh}
      />
    ) : (
      <LoadingState rows={6} />
    );
  }
  if (data.length === 0) {
    return (
      <EmptyState
        title={trans.__('No schedules yet')}
        text={trans.__(
          'A schedule runs a notebook or script again and again. Make one by “Run as Job” in the toolbar of a notebook or the menu of a file, or from code:'
        )}
        code={FIRST_SCHEDULE}
      />
    );
  }
  const chosen = data.find(({ schedule }) => schedule.name === edited);
  return (
    <div className="atelier-Schedules">
      <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <div className="atelier-RowTable">
        <table aria-label={trans.__('Schedules')}>
          <thead>
            <tr>
              <th scope="col">{trans.__('Name')}</th>
              <th scope="col">{trans.__('Runs')}</th>
              <th scope="col">{trans.__('When')}</th>
              <th scope="col">{trans.__('Next time')}</th>
              <th scope="col">{trans.__('Last job')}</th>
              <th scope="col">
                <span className="atelier-hidden">{trans.__('Actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {data.map(item => (
              <ScheduleRow
                key={item.schedule.name}
                item={item}
                isBusy={action.isBusy}
                onRun={() => void run(studio, item.schedule, action)}
                onPause={() =>
                  void action.run(() =>
                    changeSchedule(client, item.schedule.name, {
                      is_paused: !item.schedule.is_paused
                    })
                  )
                }
                onEdit={() => setEdited(item.schedule.name)}
                onDelete={() => void remove(studio, item.schedule, action)}
              />
            ))}
          </tbody>
        </table>
      </div>
      {schedules.hasMore && (
        <Button
          label={trans.__('Show more')}
          isBusy={schedules.isLoadingMore}
          onClick={schedules.loadMore}
        />
      )}
      {chosen && (
        <EditSchedule
          key={chosen.schedule.name}
          schedule={chosen.schedule}
          onClose={() => setEdited(null)}
        />
      )}
    </div>
  );
}

/** Submit a job at once, and offer the way to it. */
async function run(
  studio: IStudio,
  schedule: ScheduleRecord,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  await action.run(async () => {
    const job = await runSchedule(client, schedule.name);
    Notification.success(trans.__('The job %1 was submitted.', job.name), {
      autoClose: 8000,
      actions: [
        {
          label: trans.__('Open job'),
          callback: () => studio.open(formatPath('job', job.name))
        }
      ]
    });
  });
}

async function remove(
  studio: IStudio,
  schedule: ScheduleRecord,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const isSure = await confirmLoss({
    title: trans.__('Delete the schedule %1?', schedule.name),
    text: trans.__(
      'It is due no more, and its copy of %1 is lost. Jobs that it has made stay.',
      schedule.entry
    ),
    keep: trans.__('Keep it'),
    lose: trans.__('Delete')
  });
  if (isSure) {
    await action.run(() => deleteSchedule(client, schedule.name));
  }
}
