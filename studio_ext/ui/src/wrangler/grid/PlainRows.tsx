/** The rows as a table of HTML, a page at a time: for screen readers, and for everybody who likes it. */
import { tableFromIPC } from 'apache-arrow';
import * as React from 'react';

import { Button } from '../../components/Button';
import { formatCount } from '../../components/format';
import { useStudio } from '../../frame/context';
import { GridModel, IGridSource } from './model';

/** Rows at a time. */
const PLAIN_ROWS = 100;

export function PlainRows(props: { source: IGridSource }): React.ReactElement {
  const { trans } = useStudio();
  const { source } = props;
  const [start, setStart] = React.useState(0);
  const [rows, setRows] = React.useState<string[][]>([]);
  const columns = source.columns.slice(0, 100);
  React.useEffect(() => {
    const abort = new AbortController();
    const count = Math.min(PLAIN_ROWS, source.rowCount - start);
    if (count > 0) {
      source
        .window(
          start,
          count,
          columns.map(({ name }) => name),
          abort.signal
        )
        .then(bytes => {
          const table = tableFromIPC(bytes);
          const vectors = columns.map(({ name }) => table.getChild(name));
          setRows(
            Array.from({ length: table.numRows }, (_, row) =>
              vectors.map((vector, place) => {
                const value = vector?.get(row) as unknown;
                return value === null || value === undefined
                  ? 'null'
                  : GridModel.text(value, columns[place].kind);
              })
            )
          );
        })
        .catch(() => undefined);
    }
    return () => abort.abort();
  }, [source, start]);
  return (
    <div className="atelier-Grid-plain" tabIndex={0} role="group">
      <table>
        <caption>
          {trans.__(
            'Rows %1 to %2 of %3',
            formatCount(start + 1),
            formatCount(start + rows.length),
            formatCount(source.rowCount)
          )}
        </caption>
        <thead>
          <tr>
            {columns.map(({ name, kind }) => (
              <th key={name} scope="col" title={kind}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((text, place) => (
                <td key={place}>{text}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <div className="atelier-Grid-pages">
        <Button
          label={trans.__('Rows before')}
          isDisabled={start === 0}
          onClick={() => setStart(Math.max(0, start - PLAIN_ROWS))}
        />
        <Button
          label={trans.__('Next rows')}
          isDisabled={start + PLAIN_ROWS >= source.rowCount}
          onClick={() => setStart(start + PLAIN_ROWS)}
        />
      </div>
    </div>
  );
}
