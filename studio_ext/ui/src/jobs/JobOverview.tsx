/** What there is to know about a job at a glance: how far it is, why it failed, its numbers, its attempts, its costs. */
import * as React from 'react';

import type { JobDetail, MetricValue } from '../api';
import {
  FactTable,
  formatDuration,
  formatNumber,
  toNumber
} from '../components';
import { MetricsTable } from '../experiments/MetricsTable';
import { useStudio } from '../frame';
import { Attempts } from './Attempts';
import { Failure } from './Failure';
import { formatCost } from './pieces';
import { fractionOf, isEnd, timeLeft } from './state';

export function JobOverview(props: { detail: JobDetail }): React.ReactElement {
  const { trans } = useStudio();
  const { detail } = props;
  const { job, run, failure } = detail;
  return (
    <div className="atelier-Overview">
      <Progress detail={detail} />
      {failure ? (
        <Failure
          failure={failure}
          reason={job.reason}
          isEnd={isEnd(job.state)}
        />
      ) : (
        job.reason && (
          <p className="atelier-Reason" role="status">
            {job.reason}
          </p>
        )
      )}
      <Attempts detail={detail} />
      {run ? (
        <MetricsTable run={run} />
      ) : (
        <p className="atelier-muted">
          {trans.__(
            'No metrics: submit the job with experiment="…" to give it a run.'
          )}
        </p>
      )}
      <Costs detail={detail} />
    </div>
  );
}

function Progress(props: { detail: JobDetail }): React.ReactElement | null {
  const { trans } = useStudio();
  const { job } = props.detail;
  const { progress } = job;
  if (!progress || job.state === 'Completed') {
    return null;
  }
  const fraction = fractionOf(progress);
  const left = timeLeft(job);
  return (
    <section className="atelier-BigProgress" aria-label={trans.__('Progress')}>
      <div className="atelier-Header-line">
        <h2>{progress.description || trans.__('Progress')}</h2>
        <span>
          {progress.total
            ? trans.__(
                '%1 of %2',
                formatNumber(progress.done),
                formatNumber(progress.total)
              )
            : formatNumber(progress.done)}
        </span>
        {left !== null && (
          <span className="atelier-muted">
            {trans.__('about %1 left', formatDuration(left))}
          </span>
        )}
      </div>
      {fraction !== null && (
        <progress
          max={1}
          value={fraction}
          aria-label={trans.__('Progress of %1', job.name)}
        />
      )}
    </section>
  );
}

/** Where the time and the money went. */
function Costs(props: { detail: JobDetail }): React.ReactElement {
  const { trans } = useStudio();
  const { job, savings, has_prices } = props.detail;
  const time = (seconds: MetricValue) =>
    formatDuration(toNumber(seconds) * 1000);
  const percent = (fraction: MetricValue) =>
    `${formatNumber(Math.round(toNumber(fraction) * 1000) / 10)} %`;
  const facts = [
    { name: trans.__('Total time'), value: time(savings.total_seconds) },
    {
      name: trans.__('Waiting, not billed'),
      value: time(savings.waiting_seconds)
    }
  ];
  if (job.is_spot) {
    facts.push(
      {
        name: trans.__('Redone after interruptions'),
        value: time(savings.redone_seconds)
      },
      { name: trans.__('Interruptions'), value: String(savings.interruptions) },
      {
        name: trans.__('Billable time'),
        value: time(savings.billable_seconds)
      },
      { name: trans.__('Saved'), value: percent(savings.fraction) },
      {
        name: trans.__('Would have cost on demand'),
        value: formatCost(savings.on_demand_cost, savings.currency)
      }
    );
  }
  facts.push({
    name: trans.__('Cost'),
    value: formatCost(savings.cost, savings.currency)
  });
  return (
    <div className="atelier-Costs">
      <FactTable
        caption={job.is_spot ? trans.__('Savings') : trans.__('Time and cost')}
        facts={facts}
        empty=""
      />
      {!has_prices && (
        <p className="atelier-muted">
          {trans.__(
            'By prices that are an example; kt.jobs.spot.set_prices(on_demand, spot) sets what is really paid.'
          )}
        </p>
      )}
    </div>
  );
}
