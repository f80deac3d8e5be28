/** Runs side by side: their curves, their differences, their code, their environments and their files. */
import * as React from 'react';

import type { RunsComparison } from '../../api';
import { EmptyState, Loaded, PageHeader, Tabs } from '../../components';
import { usePage, usePageTitle, useResource, useStudio } from '../../frame';
import { Artifacts } from './Artifacts';
import { ChartGrid } from './ChartGrid';
import { CodeDiff } from './CodeDiff';
import { Differences } from './Differences';
import { Environment } from './Environment';
import { RunChips } from './RunChips';
import { comparePath, comparisonTitle } from './address';
import { compareRuns } from './calls';

export function ComparePage(props: { ids: string[] }): React.ReactElement {
  const { trans } = useStudio();
  const page = usePage();
  return props.ids.length === 0 ? (
    <div className="atelier-PageBody">
      <PageHeader
        title={trans.__('Compare runs')}
        crumbs={[{ label: trans.__('Experiments'), path: 'experiments' }]}
      />
      <RunChips
        runs={[]}
        absent={[]}
        onChange={ids => page.navigate(comparePath(ids))}
      />
      <ChooseRuns />
    </div>
  ) : (
    <Comparison {...props} />
  );
}

function Comparison(props: { ids: string[] }): React.ReactElement {
  const { client, trans } = useStudio();
  const page = usePage();
  const { ids } = props;
  const known = React.useRef<RunsComparison | null>(null);
  const comparison = useResource(
    JSON.stringify(['compare', ids]),
    async signal => {
      const next = await compareRuns(client, ids, signal);
      if (JSON.stringify(next) !== JSON.stringify(known.current)) {
        known.current = next;
      }
      return known.current as RunsComparison;
    }
  );
  // While a run is added or taken away, the comparison before stays in sight.
  const data = comparison.data ?? (comparison.error ? null : known.current);
  const names = data?.runs.map(run => run.name) ?? [];
  usePageTitle(names.length ? comparisonTitle(names) : undefined);
  return (
    <div className="atelier-PageBody atelier-Compare">
      <PageHeader
        title={
          names.length === 1
            ? trans.__('Compare runs')
            : trans.__('Compare %1 runs', names.length || ids.length)
        }
        crumbs={[{ label: trans.__('Experiments'), path: 'experiments' }]}
      />
      <Loaded
        resource={{ ...comparison, data }}
        failure={trans.__('The runs could not be compared')}
        rows={12}
      >
        {({ runs, absent, rows, row_count }) => (
          <>
            <RunChips
              runs={runs}
              absent={absent}
              onChange={next => page.navigate(comparePath(next))}
            />
            {runs.length < 2 ? (
              <ChooseRuns />
            ) : (
              <Tabs
                label={trans.__('Parts of the comparison')}
                tabs={[
                  {
                    id: 'charts',
                    label: trans.__('Charts'),
                    render: () => <ChartGrid runs={runs} />
                  },
                  {
                    id: 'differences',
                    label: trans.__('Differences'),
                    render: () => (
                      <Differences
                        runs={runs}
                        rows={rows}
                        rowCount={row_count}
                      />
                    )
                  },
                  {
                    id: 'code',
                    label: trans.__('Code'),
                    render: () => <CodeDiff runs={runs} />
                  },
                  {
                    id: 'environment',
                    label: trans.__('Environment'),
                    render: () => <Environment runs={runs} />
                  },
                  {
                    id: 'artifacts',
                    label: trans.__('Artifacts'),
                    render: () => <Artifacts runs={runs} />
                  }
                ]}
              />
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}

function ChooseRuns(): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  return (
    <EmptyState
      title={trans.__('Choose at least two runs')}
      text={trans.__(
        'Select runs in the table of an experiment and press Compare, or add them above by their names. In a notebook:'
      )}
      code={'%compare "first run" "second run"'}
      action={{
        label: trans.__('Open Experiments'),
        onClick: () => studio.open('experiments')
      }}
    />
  );
}
