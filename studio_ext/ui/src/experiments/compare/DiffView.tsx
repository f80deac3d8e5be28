/** A unified difference of two texts, with the numbers of the lines; signs say what colours say. */
import * as React from 'react';

import type { FileDifference } from '../../api';
import { useStudio } from '../../frame';
import { numberLines } from './differences';

export function DiffView(props: {
  difference: FileDifference;
  names: [string, string];
}): React.ReactElement {
  const { trans } = useStudio();
  const { difference, names } = props;
  const { path, present, is_different, note } = difference;
  const lacking = names.filter((_, index) => !present[index]);
  return (
    <section className="atelier-Diff" aria-label={path}>
      <h2 className="atelier-ellipsis" title={path}>
        {path}
      </h2>
      {lacking.length > 0 && (
        <p className="atelier-muted">
          {trans.__('%1 has no such file.', lacking.join(', '))}
        </p>
      )}
      {!is_different && (
        <p className="atelier-muted">{trans.__('The same in both runs.')}</p>
      )}
      {note && <p className="atelier-muted">{note}</p>}
      {difference.lines.length > 0 && (
        <div
          className="atelier-Diff-lines"
          tabIndex={0}
          role="region"
          aria-label={trans.__('Differences in %1', path)}
        >
          <table aria-label={trans.__('Differences in %1', path)}>
            <tbody>
              {numberLines(difference.lines).map((line, index) => (
                <tr key={index} data-sign={line.sign}>
                  <td className="atelier-Diff-number">{line.before ?? ''}</td>
                  <td className="atelier-Diff-number">{line.after ?? ''}</td>
                  <td className="atelier-Diff-sign">
                    {line.sign === '@' ? '' : line.sign}
                  </td>
                  <td>
                    <code>{line.text}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
