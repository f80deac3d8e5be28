/** The grid of a recipe: its windows come from the session's process as Arrow. */
import { tableFromIPC } from 'apache-arrow';
import * as React from 'react';

import type * as api from '../api/types';
import { Grid, IBlockSource } from '../components';
import { useStudio } from '../frame/context';
import { readWindow } from './calls';

export interface IRecipeGridProps {
  session: string;
  view: { view: string; rows: number };
  columns: api.ColumnDetail[];
  /** A view of the same rows before the step, to tell which cells it changes. */
  before: string | null;
  isWhole: boolean;
  note?: string;
  onFilter?(condition: string): void;
}

export function RecipeGrid(props: IRecipeGridProps): React.ReactElement {
  const { client, trans } = useStudio();
  const { session, view, columns } = props;
  const source = React.useMemo<IBlockSource>(() => {
    const names = columns.map(column => column.name);
    return {
      columns: names,
      rowCount: view.rows,
      fetch: async (start, end) => {
        const bytes = await readWindow(client, session, {
          view: view.view,
          start,
          count: end - start
        });
        const table = tableFromIPC(bytes);
        const vectors = names.map(name => table.getChild(name));
        return Array.from({ length: table.numRows }, (_, row) =>
          vectors.map(vector => vector?.get(row) as unknown)
        );
      }
    };
  }, [client, session, view.view, view.rows, columns]);
  return <Grid label={trans.__('Rows')} source={source} height={560} />;
}
