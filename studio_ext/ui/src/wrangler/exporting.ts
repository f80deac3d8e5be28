/** Taking what a recipe gives elsewhere. */
import { Notification } from '@jupyterlab/apputils';

import type * as api from '../api/types';
import { ask, formatCount } from '../components';
import type { Studio } from '../frame/studio';
import { runTask } from './calls';

/** Ask where to, and write all rows after a step to a file. */
export async function writeRows(
  studio: Studio,
  session: string,
  name: string,
  node: string,
  part: api.PartReport | null
): Promise<void> {
  const { client, trans } = studio;
    const answers = await ask({
      title: trans.__('Write all rows to a file'),
      accept: trans.__('Write'),
      questions: [
        {
          name: 'path',
          label: trans.__('Path, from the folder of the recipe'),
          isRequired: true,
          value: `${name}-out.parquet`,
          help: trans.__(
            'The end of the name tells the format: .parquet, .csv, .jsonl, .arrow, .xlsx'
          )
        },
        {
          name: 'partition',
          label: trans.__('A folder for each value of (column)'),
          kind: 'choice',
          choices: [
            { value: '', label: trans.__('one file') },
            ...(part?.columns ?? []).map(({ name }) => ({
              value: name,
              label: name
            }))
          ]
        }
      ]
    });
    if (answers?.path && selected) {
      await exporting.run(async () => {
        const reply = await runTask<{ path: string; rows: number }>(
          client,
          session,
          'exports',
          {
            node: selected,
            path: answers.path,
            partition_by: answers.partition ? [answers.partition] : []
          }
        );
        Notification.success(
          trans.__(
            '%1 rows written to %2',
            formatCount(reply.rows),
            answers.path
          )
        );
      });
    }
  };
