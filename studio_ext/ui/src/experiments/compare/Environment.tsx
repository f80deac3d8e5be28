/** Python, machine and packages of the runs side by side. */
import * as React from 'react';

import type { RunRecord } from '../../api';
import { EmptyState, Loaded } from '../../components';
import { useResource, useStudio } from '../../frame';
import { RowsTable } from './RowsTable';
import { TableControls } from './TableControls';
import { Uncaptured } from './Uncaptured';
import { compareEnvironments } from './calls';
import { filterRows } from './differences';

export function Environment(props: { runs: RunRecord[] }): React.ReactElement {
  const { client, trans } = useStudio();
  const { runs } = props;
  const [text, setText] = React.useState('');
  const [isOnlyDifferent, setOnlyDifferent] = React.useState(true);
  const ids = runs.map(run => run.id);
  const environment = useResource(
    JSON.stringify(['environment', ids]),
    async (
      signal,
      known: Awaited<ReturnType<typeof compareEnvironments>> | null
    ) => known ?? compareEnvironments(client, ids, signal)
  );
  return (
    <Loaded
      resource={environment}
      failure={trans.__('The environments could not be compared')}
    >
      {({ rows, uncaptured }) => {
        const shown = filterRows(
          rows.filter(row => row.is_different || !isOnlyDifferent),
          text
        );
        return (
          <div className="atelier-Compare-part-body">
            <Uncaptured
              runs={runs}
              ids={uncaptured}
              what={trans.__('environment')}
            />
            {rows.length > 0 && (
              <TableControls
                text={text}
                onText={setText}
                isOnlyDifferent={isOnlyDifferent}
                onOnlyDifferent={setOnlyDifferent}
                summary={trans.__('%1 of %2 rows', shown.length, rows.length)}
              />
            )}
            {shown.length > 0 && (
              <RowsTable
                label={trans.__('Environments')}
                runs={runs}
                rows={shown}
                partLabels={{
                  environment: trans.__('Python and machine'),
                  packages: trans.__('Packages')
                }}
              />
            )}
            {rows.length > 0 && shown.length === 0 && (
              <EmptyState
                title={
                  text
                    ? trans.__('Nothing matches')
                    : trans.__('The same environment')
                }
                text={
                  text
                    ? trans.__('No name and no version has “%1” in it.', text)
                    : trans.__(
                        'Python, machine and all packages are the same in the runs that recorded them.'
                      )
                }
              />
            )}
          </div>
        );
      }}
    </Loaded>
  );
}
