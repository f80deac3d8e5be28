/** A table among files, read from the server by rows. */
import * as React from 'react';

import type { ArtifactRecord, TableWindow } from '../../api';
import { Grid, IBlockSource, Loaded } from '..';
import { useResource, useStudio } from '../../frame';
import type { IFileSource } from './source';

const FIRST_ROWS = 200;

export function TablePreview(props: {
  source: IFileSource;
  artifact: ArtifactRecord;
}): React.ReactElement {
  const { trans } = useStudio();
  const { source: files, artifact } = props;
  const { path, sha256, created_at } = artifact;
  const first = useResource<TableWindow>(
    JSON.stringify(['table', files.key, path, sha256, created_at]),
    // The content of a file does not change: once is enough.
    async (signal, known) =>
      known ?? files.rows({ path, start: 0, limit: FIRST_ROWS }, signal)
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
          return (await files.rows(query)).rows;
        }
      },
    [data, files.key, path]
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
