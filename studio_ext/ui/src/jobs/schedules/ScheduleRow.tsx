/** One schedule as a line of the table, with its buttons. */
import { ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Button, StateChip, Time, openMenu } from '../../components';
import { formatPath, useStudio } from '../../frame';
import { JobChip } from '../pieces';
import type { IScheduleItem } from './SchedulesList';

export function ScheduleRow(props: {
  item: IScheduleItem;
  isBusy: boolean;
  onRun(): void;
  onPause(): void;
  onEdit(): void;
  onDelete(): void;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { schedule, lastJob } = props.item;
  const { name, is_paused, next_at } = schedule;
  return (
    <tr>
      <th
        scope="row"
        className="atelier-ellipsis"
        title={`${name}: ${schedule.entry}`}
      >
        {name}
      </th>
      <td className="atelier-ellipsis" title={schedule.entry}>
        {schedule.entry}
      </td>
      <td
        className="atelier-ellipsis"
        title={
          schedule.cron === null
            ? schedule.timing
            : `${schedule.timing}: ${schedule.cron}`
        }
      >
        {schedule.timing}
      </td>
      <td>
        {is_paused ? (
          <StateChip tone="plain" label={trans.__('Paused')} />
        ) : (
          next_at !== null && <Time value={next_at} />
        )}
      </td>
      <td>
        {lastJob && (
          <button
            type="button"
            className="atelier-TextButton"
            title={lastJob.name}
            aria-label={trans.__('Open %1', lastJob.name)}
            onClick={() => studio.open(formatPath('job', lastJob.name))}
          >
            <JobChip state={lastJob.state} />
          </button>
        )}
        {schedule.last_error && (
          <span className="atelier-Schedules-error" title={schedule.last_error}>
            <StateChip tone="bad" label={trans.__('Not submitted')} />
          </span>
        )}
      </td>
      <td>
        <span className="atelier-Buttons">
          <Button
            label={trans.__('Run now')}
            description={trans.__('Run %1 now', name)}
            isDisabled={props.isBusy}
            onClick={props.onRun}
          />
          <Button
            label={is_paused ? trans.__('Resume') : trans.__('Pause')}
            description={
              is_paused
                ? trans.__('Resume %1', name)
                : trans.__('Pause %1', name)
            }
            isDisabled={props.isBusy}
            onClick={props.onPause}
          />
          <button
            type="button"
            className="atelier-IconButton"
            aria-haspopup="menu"
            aria-label={trans.__('More about %1', name)}
            title={trans.__('More')}
            onClick={event =>
              openMenu(event.currentTarget, [
                { label: trans.__('Edit Times…'), onSelect: props.onEdit },
                { label: trans.__('Delete…'), onSelect: props.onDelete }
              ])
            }
          >
            <ellipsesIcon.react tag="span" width="16px" aria-hidden />
          </button>
        </span>
      </td>
    </tr>
  );
}
