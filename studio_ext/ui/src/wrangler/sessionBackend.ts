/** The tables of a recipe's session, as the grid asks for them. */
import type { Client } from '../api';
import type * as api from '../api/types';
import { arrangeView, readCell, readWindow, runTask } from './calls';
import type { IGridBackend, IProfile } from './grid/model';

export function sessionBackend(client: Client, session: string): IGridBackend {
  return {
    arrange: (view, sort, filters, signal) => {
      const asked = filters as api.ArrangeRequest['filters'];
      return arrangeView(
        client,
        session,
        { view, sort, filters: asked },
        signal
      );
    },
    window: (asked, signal) => readWindow(client, session, asked, signal),
    cell: (view, row, column) =>
      readCell(client, session, { view, row, column }),
    profile: (view, columns) =>
      runTask<{ columns: IProfile[] }>(client, session, 'profile', {
        view,
        columns
      })
  };
}
