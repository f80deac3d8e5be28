/** The selected run beside the table: enough to know whether to open it. */
import * as React from 'react';

import type { RunRecord, ViewSettings } from '../api';
import {
  Button,
  Drawer,
  FactTable,
  RunChip,
  Time,
  durationOf,
  formatNumber,
  metricFacts,
  sortedKeys,
  textFacts
} from '../components';
import { useResource, useStudio } from '../frame';
import type { IGroupRow } from './table/levels';
import { goalOf } from './table/settings';

export function RunDrawer(props: {
  run: RunRecord;
  onClose(): void;
}): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { status, metrics } = props.run;
  // The table has the values of its columns only.
  const whole = useResource(
    JSON.stringify(['drawer', props.run.id]),
    async signal => (await client.run(props.run.id, signal)).run
  );
  const run = { ...(whole.data ?? props.run), status };
  return (
    <Drawer
      label={trans.__('Run details')}
      title={run.name}
      onClose={props.onClose}
    >
      <div className="atelier-Facts">
        <RunChip status={run.status} />
        <Time value={run.started_at} />
        <span>{durationOf(run.started_at, run.ended_at)}</span>
        <span>{run.user}</span>
      </div>
      <Button
        kind="primary"
        label={trans.__('Open run')}
        onClick={() => studio.open(`run/${run.id}`)}
      />
      <FactTable
        caption={trans.__('Metrics')}
        facts={metricFacts({ ...run.metrics, ...metrics })}
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
    </Drawer>
  );
}

/** The selected group: what its metrics come to, and which run is the best. */
export function GroupDrawer(props: {
  row: IGroupRow;
  title: string;
  goals: ViewSettings['goals'];
  onClose(): void;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { group } = props.row;
  return (
    <Drawer
      label={trans.__('Group details')}
      title={props.title}
      onClose={props.onClose}
    >
      <div>{trans._n('%1 run', '%1 runs', group.count)}</div>
      {sortedKeys(group.metrics).map(key => {
        const { count, mean, std, min, max, best_run_id } = group.metrics[key];
        const facts: [string, number | string | null][] = [
          [trans.__('Runs that have it'), count],
          [trans.__('Mean'), mean],
          [trans.__('Standard deviation'), std],
          [trans.__('Lowest'), min],
          [trans.__('Highest'), max]
        ];
        return (
          <React.Fragment key={key}>
            <FactTable
              caption={key}
              empty=""
              facts={facts.map(([name, value]) => ({
                name,
                value:
                  value === null
                    ? '—'
                    : formatNumber(value as RunRecord['metrics'][string]),
                isNumber: true
              }))}
            />
            <Button
              label={
                goalOf(key, props.goals) === 'max'
                  ? trans.__('Open the highest')
                  : trans.__('Open the lowest')
              }
              onClick={() => studio.open(`run/${best_run_id}`)}
            />
          </React.Fragment>
        );
      })}
    </Drawer>
  );
}
