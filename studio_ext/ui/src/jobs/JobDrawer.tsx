/** The selected job beside the list: enough to know whether to open it. */
import * as React from 'react';

import type { JobRow } from '../api';
import {
  Button,
  Drawer,
  FactTable,
  LinkChip,
  Time,
  formatAbsolute,
  formatDuration
} from '../components';
import { runIcon, useStudio } from '../frame';
import { JobChip, JobProgress, TimeLine, formatCost } from './pieces';

export function JobDrawer(props: {
  job: JobRow;
  onClose(): void;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { job } = props;
  return (
    <Drawer
      label={trans.__('Job details')}
      title={job.name}
      onClose={props.onClose}
    >
      <div className="atelier-Facts">
        <JobChip state={job.state} />
        <Time value={job.created_at} />
        <span>{job.user}</span>
      </div>
      <JobProgress job={job} />
      <TimeLine stretches={job.stretches} />
      {job.reason && <p className="atelier-Reason">{job.reason}</p>}
      <Button
        kind="primary"
        label={trans.__('Open job')}
        onClick={() => studio.open(`job/${job.name}`)}
      />
      {job.run_id && (
        <div className="atelier-Links">
          <LinkChip
            icon={runIcon}
            label={trans.__('Run of %1', job.experiment ?? '')}
            path={`run/${job.run_id}`}
          />
        </div>
      )}
      <FactTable
        caption={trans.__('Facts')}
        empty=""
        facts={[
          { name: trans.__('Entry'), value: job.entry, title: job.entry },
          { name: trans.__('Kind'), value: job.entry_kind },
          { name: trans.__('Ran'), value: formatDuration(job.duration) },
          { name: trans.__('Attempts'), value: job.attempts },
          {
            name: trans.__('Cost'),
            value: job.cost === null ? '—' : formatCost(job.cost, job.currency)
          },
          {
            name: trans.__('Spot'),
            value: job.is_spot ? trans.__('yes') : trans.__('no')
          },
          { name: trans.__('Priority'), value: job.priority },
          ...(job.ended_at === null
            ? []
            : [
                {
                  name: trans.__('Ended'),
                  value: <Time value={job.ended_at} />,
                  title: formatAbsolute(job.ended_at)
                }
              ])
        ]}
      />
    </Drawer>
  );
}
