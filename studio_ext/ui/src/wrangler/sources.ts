/** Asking for a table: a file, an address, or a database with a query. */
import type { TranslationBundle } from '@jupyterlab/translation';

import { ask } from '../components';
import type { ISource } from './document';

/** Ask which table; null if the user cancels. */
export async function askSource(
  trans: TranslationBundle
): Promise<Omit<ISource, 'id'> | null> {
  const answers = await ask({
    title: trans.__('Add a table'),
    accept: trans.__('Add'),
    questions: [
      {
        name: 'uri',
        label: trans.__('File or address'),
        isRequired: true,
        placeholder: 'data/customers.parquet',
        help: trans.__(
          'A path from the folder of the recipe, a pattern (data/*.csv), s3://…, https://…, or a database such as sqlite:///shop.db'
        )
      },
      {
        name: 'query',
        label: trans.__('Table or SELECT, of a database'),
        kind: 'text'
      }
    ]
  });
  const uri = answers?.uri.trim();
  if (!uri) {
    return null;
  }
  const query = answers?.query.trim();
  return query ? { kind: 'database', uri, query } : { kind: 'file', uri };
}
