/** A table among the files of a run, read from the server by rows. */
import * as React from 'react';

import type { ArtifactRecord, RunRecord, TableWindow } from '../api';
import { Grid, IBlockSource, Loaded } from '../components';
import { useResource, useStudio } from '../frame';
import { runTable } from './runCalls';

const FIRST_ROWS = 200;

export function TablePreview(props: {
  run: Pick<RunRecord, 'id'>;
  artifact: ArtifactRecord;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { run, artifact } = props;
  const { path, sha256 } = artifact;
  const first = useResource<TableWindow>(
    JSON.stringify(['table', run.id, path, sha256]),
    // The content of a file does not change: once is enough.
    async (signal, known) =>
      known ??
      runTable(client, run.id, { path, start: 0, limit: FIRST_ROWS }, signal)
  );
  const { data } = first;
  const source = React.useMemo(
    (): IBlockSource | null =>
      data && {
        columns: data.columns.map(({ name }) => name),
        rowCount: data.row_count,
        fetch: async (start, end) => {
          if (end <= data.rows.length) {
            return data.rows.slice(start, end);
          }
          const limit = end - start;
          const query = { path, start, limit };
          return (await runTable(client, run.id, query)).rows;
        }
      },
    [data, client, run.id, path]
  );
  return (
    <Loaded
      resource={first}
      failure={trans.__('This file is not shown as a table')}
    >
      {window => (
        <>
          {window.column_count > window.columns.length && (
            <p className="atelier-muted">
              {trans.__(
                'The first %1 of %2 columns are shown.',
                window.columns.length,
                window.column_count
              )}
            </p>
          )}
          {source && (
            <Grid label={trans.__('Rows of %1', path)} source={source} />
          )}
        </>
      )}
    </Loaded>
  );
}
