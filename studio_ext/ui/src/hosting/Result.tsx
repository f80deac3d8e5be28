/** What a model answered, and how long it took. */
import * as React from 'react';

import type { InvocationReply } from '../api';
import {
  Button,
  formatCell,
  formatLatency,
  formatNumber,
  toNumber
} from '../components';
import { useStudio } from '../frame';
import { asCsv } from './answers';

/** Classes shown; those with the highest probability first. */
const MAX_CLASSES = 10;

/** Rows shown of a reply to several. */
const MAX_ROWS = 200;

export function Result(props: { reply: InvocationReply }): React.ReactElement {
  return props.reply.predictions.length > 1 ? (
    <Rows reply={props.reply} />
  ) : (
    <OneRow reply={props.reply} />
  );
}

/** The answers to several rows: a line each, with the probability of each class. */
function Rows(props: { reply: InvocationReply }): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { predictions, probabilities, classes, latency_ms } = props.reply;
  const shown = predictions.slice(0, MAX_ROWS);
  return (
    <div className="atelier-Result" role="status">
      <div className="atelier-muted" title={`${latency_ms} ms`}>
        {trans.__(
          '%1 rows, answered in %2',
          predictions.length,
          formatLatency(latency_ms)
        )}
        {predictions.length > shown.length &&
          ` ${trans.__('The first %1 are shown.', shown.length)}`}
      </div>
      <div className="atelier-Buttons">
        <Button
          label={trans.__('Copy as CSV')}
          onClick={() => void studio.copy(asCsv(props.reply))}
        />
      </div>
      <div className="atelier-DataTable">
        <table aria-label={trans.__('Answers')}>
          <thead>
            <tr>
              <th scope="col">{trans.__('Row')}</th>
              <th scope="col">{trans.__('Prediction')}</th>
              {(probabilities?.length ? (classes ?? []) : [])
                .slice(0, MAX_CLASSES)
                .map((name, place) => (
                  <th key={place} scope="col" className="atelier-number">
                    {formatCell(name)}
                  </th>
                ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((prediction, row) => (
              <tr key={row}>
                <th scope="row">{row + 1}</th>
                <td>{formatCell(prediction)}</td>
                {(probabilities?.[row] ?? [])
                  .slice(0, MAX_CLASSES)
                  .map((probability, place) => (
                    <td key={place} className="atelier-number">
                      {formatNumber(probability ?? 'NaN')}
                    </td>
                  ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function OneRow(props: { reply: InvocationReply }): React.ReactElement {
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
