/** The points of a figure as a table, for those who do not see it and those who want the numbers. */
import * as React from 'react';

import { useStudio } from '../frame/context';
import { figureTable } from './figureTable';
import { formatCell } from './format';
import type { IFigure } from './theme';

export function FigureTable(props: {
  title: string;
  figure: IFigure;
  height: number;
}): React.ReactElement {
  const { trans } = useStudio();
  const { columns, rows, count } = figureTable(props.figure);
  return (
    <div
      className="atelier-Figure-table"
      style={{ height: props.height }}
      tabIndex={0}
      role="region"
      aria-label={trans.__('Data of %1', props.title)}
    >
      {count > rows.length && (
        <p className="atelier-muted">
          {trans.__('The first %1 of %2 points.', rows.length, count)}
        </p>
      )}
      <table aria-label={trans.__('Data of %1', props.title)}>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={index} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((value, column) => (
                <td
                  key={column}
                  className={
                    typeof value === 'number' ? 'atelier-number' : undefined
                  }
                >
                  {formatCell(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
