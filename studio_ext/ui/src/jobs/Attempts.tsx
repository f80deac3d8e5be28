/** The life of a job as lanes of waiting, running and interrupted, and its attempts as a table. */
import * as React from 'react';

import type { Attempt, JobDetail } from '../api';
import { Time, formatDuration } from '../components';
import { useStudio } from '../frame';
import { kindLabel } from './pieces';
import { ISegment, StretchKind, segmentsOf, stateLabel } from './state';

const LANES: StretchKind[] = ['waiting', 'running', 'interrupted'];
const TICKS = [0, 0.25, 0.5, 0.75, 1];

export function Attempts(props: { detail: JobDetail }): React.ReactElement {
  const { trans } = useStudio();
  const { attempts, attempt_count, stretches } = props.detail;
  const now = Date.now();
  const segments = segmentsOf(stretches, now);
  const total = segments.reduce((sum, { length }) => sum + length, 0);
  return (
    <section className="atelier-Attempts">
      <h2>{trans.__('Time line')}</h2>
      {segments.length > 0 && (
        <div className="atelier-Gantt">
          {LANES.filter(
            lane =>
              lane !== 'interrupted' ||
              segments.some(({ kind }) => kind === lane)
          ).map(lane => (
            <Lane
              key={lane}
              lane={lane}
              segments={segments.filter(({ kind }) => kind === lane)}
              redone={
                lane === 'running'
                  ? redoneParts(attempts, stretches[0].started_at, total)
                  : []
              }
            />
          ))}
          <div className="atelier-Gantt-axis" aria-hidden="true">
            <span />
            <div>
              {TICKS.map(tick => (
                <span key={tick} style={{ left: `${tick * 100}%` }}>
                  {tick === 0 ? '0' : formatDuration(tick * total)}
                </span>
              ))}
            </div>
          </div>
        </div>
      )}
      {attempt_count > attempts.length && (
        <p className="atelier-muted">
          {trans.__(
            'The newest %1 of %2 attempts.',
            attempts.length,
            attempt_count
          )}
        </p>
      )}
      {attempts.length === 0 ? (
        <p className="atelier-muted">{trans.__('It has not started yet.')}</p>
      ) : (
        <details open={attempts.length <= 5}>
          <summary>
            {trans._n('%1 attempt', '%1 attempts', attempt_count)}
          </summary>
          <AttemptsTable attempts={attempts} now={now} />
        </details>
      )}
    </section>
  );
}

function Lane(props: {
  lane: StretchKind;
  segments: ISegment[];
  redone: { start: number; end: number; length: number }[];
}): React.ReactElement {
  const { trans } = useStudio();
  const { lane, segments, redone } = props;
  const sum = segments.reduce((total, { length }) => total + length, 0);
  const label = kindLabel(lane, trans);
  const place = (part: { start: number; end: number }) => ({
    left: `${part.start * 100}%`,
    width: `${(part.end - part.start) * 100}%`
  });
  return (
    <div className="atelier-Gantt-lane">
      <span>{label}</span>
      <div
        role="img"
        aria-label={trans.__(
          '%1: %2 in %3 parts',
          label,
          formatDuration(sum),
          segments.length
        )}
      >
        {segments.map((segment, index) => (
          <span
            key={index}
            data-kind={segment.kind}
            style={place(segment)}
            title={`${stateLabel(segment.state, trans)}: ${formatDuration(segment.length)}`}
          />
        ))}
        {redone.map((part, index) => (
          <span
            key={`redone-${index}`}
            data-kind="redone"
            style={place(part)}
            title={trans.__(
              'Done again after it: %1',
              formatDuration(part.length)
            )}
          />
        ))}
      </div>
      <span className="atelier-number">{formatDuration(sum)}</span>
    </div>
  );
}

function AttemptsTable(props: {
  attempts: Attempt[];
  now: number;
}): React.ReactElement {
  const { trans } = useStudio();
  const number = 'atelier-number';
  return (
    <div className="atelier-DataTable">
      <table aria-label={trans.__('Attempts')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('Attempt')}</th>
            <th scope="col">{trans.__('Started')}</th>
            <th scope="col" className={number}>
              {trans.__('Ran')}
            </th>
            <th scope="col">{trans.__('Ended by')}</th>
            <th scope="col" className={number}>
              {trans.__('Exit code')}
            </th>
            <th scope="col" className={number}>
              {trans.__('Redone')}
            </th>
          </tr>
        </thead>
        <tbody>
          {props.attempts.map(attempt => (
            <tr key={attempt.number}>
              <th scope="row">{attempt.number}</th>
              <td>
                <Time value={attempt.started_at} />
              </td>
              <td className={number}>
                {attempt.running_at === null || attempt.running_at === undefined
                  ? '—'
                  : formatDuration(
                      (attempt.ended_at ?? props.now) - attempt.running_at
                    )}
              </td>
              <td>
                {attempt.ended_state
                  ? stateLabel(attempt.ended_state, trans)
                  : trans.__('it goes on')}
              </td>
              <td className={number}>{attempt.exit_code ?? '—'}</td>
              <td className={number}>
                {attempt.redone ? formatDuration(attempt.redone) : '—'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The last part of each attempt whose work had to be done again. */
export function redoneParts(
  attempts: Pick<Attempt, 'ended_at' | 'running_at' | 'redone'>[],
  first: number,
  total: number
): { start: number; end: number; length: number }[] {
  return attempts.flatMap(({ ended_at, running_at, redone }) => {
    if (!ended_at || !running_at || !redone || total <= 0) {
      return [];
    }
    const length = Math.min(redone, ended_at - running_at);
    const end = (ended_at - first) / total;
    return [{ start: Math.max(0, end - length / total), end, length }];
  });
}
