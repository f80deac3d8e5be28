/** What a model answered, and how long it took. */
import * as React from 'react';

import type { InvocationReply } from '../api';
import {
  formatCell,
  formatLatency,
  formatNumber,
  toNumber
} from '../components';
import { useStudio } from '../frame';

/** Classes shown; those with the highest probability first. */
const MAX_CLASSES = 10;

export function Result(props: { reply: InvocationReply }): React.ReactElement {
  const { trans } = useStudio();
  const { reply } = props;
  const probabilities = reply.probabilities?.[0] ?? [];
  const classes = probabilities
    .map((probability, index) => ({
      name: formatCell(reply.classes?.[index] ?? index),
      probability: toNumber(probability ?? 'NaN')
    }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, MAX_CLASSES);
  return (
    <div className="atelier-Result" role="status">
      <div className="atelier-Result-value">
        {reply.predictions.map(formatCell).join(', ')}
      </div>
      <div className="atelier-muted" title={`${reply.latency_ms} ms`}>
        {trans.__('answered in %1', formatLatency(reply.latency_ms))}
      </div>
      {classes.length > 0 && (
        <table aria-label={trans.__('Probabilities')}>
          <tbody>
            {classes.map(({ name, probability }) => (
              <tr key={name}>
                <th scope="row" title={name}>
                  {name}
                </th>
                <td className="atelier-Result-bar" aria-hidden="true">
                  <span style={{ width: `${probability * 100}%` }} />
                </td>
                <td className="atelier-number" title={String(probability)}>
                  {formatNumber(probability)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
