/** The metrics of a run: the last value of each, the lowest and highest with their steps, and a small curve. */
import * as React from 'react';

import type { MetricSummary, RunRecord } from '../api';
import {
  ErrorBar,
  ErrorState,
  InputField,
  LoadingState,
  Sparkline,
  formatExact,
  formatNumber
} from '../components';
import { usePagedResource, useStudio } from '../frame';
import { runMetrics } from './runCalls';

const SEARCHED_FROM = 12;

export function MetricsTable(props: { run: RunRecord }): React.ReactElement {
  const { client, trans } = useStudio();
  const { run } = props;
  const [search, setSearch] = React.useState('');
  const count = Object.keys(run.metrics).length;
  const metrics = usePagedResource<MetricSummary>(
    JSON.stringify(['metrics', run.id, search]),
    ({ key }) => key,
    async (query, signal) => {
      const limit = Math.min(query.limit, 100);
      const page = await runMetrics(
        client,
        run.id,
        { ...query, limit, search: search.trim() },
        signal
      );
      return { items: page.metrics, next: page.next_page_token };
    }
  );
  const { data, error } = metrics;
  return (
    <section className="atelier-DataTable atelier-Metrics">
      <div className="atelier-Header-line">
        <h2>{trans.__('Metrics')}</h2>
        {count > SEARCHED_FROM && (
          <InputField
            label={trans.__('Search metrics')}
            value={search}
            onChange={setSearch}
          />
        )}
      </div>
      <ErrorBar
        error={data ? error : null}
        prefix={trans.__('Not up to date:')}
      />
      {data === null ? (
        error ? (
          <ErrorState
            title={trans.__('The metrics could not be read')}
            error={error}
            retry={metrics.refresh}
          />
        ) : (
          <LoadingState rows={Math.min(count, 6)} />
        )
      ) : data.length === 0 ? (
        <p className="atelier-muted">
          {count > 0
            ? trans.__('No metric matches.')
            : trans.__('No metrics were logged.')}
        </p>
      ) : (
        <table aria-label={trans.__('Metrics')}>
          <thead>
            <tr>
              <th scope="col">{trans.__('Metric')}</th>
              <th scope="col">{trans.__('Curve')}</th>
              <th scope="col" className="atelier-number">
                {trans.__('Last')}
              </th>
              <th scope="col" className="atelier-number">
                {trans.__('Lowest')}
              </th>
              <th scope="col" className="atelier-number">
                {trans.__('Highest')}
              </th>
              <th scope="col" className="atelier-number">
                {trans.__('Points')}
              </th>
            </tr>
          </thead>
          <tbody>
            {data.map(metric => (
              <MetricRow key={metric.key} metric={metric} />
            ))}
          </tbody>
        </table>
      )}
      {metrics.hasMore && (
        <button
          type="button"
          className="atelier-TextButton"
          disabled={metrics.isLoadingMore}
          onClick={metrics.loadMore}
        >
          {trans.__('Show more metrics')}
        </button>
      )}
    </section>
  );
}

function MetricRow(props: { metric: MetricSummary }): React.ReactElement {
  const { trans } = useStudio();
  const { metric } = props;
  const extreme = (value: MetricSummary['last'], step: number) => (
    <td
      className="atelier-number"
      title={trans.__('%1 at step %2', formatExact(value), step)}
    >
      {formatNumber(value)}{' '}
      <span className="atelier-muted atelier-Metrics-step">
        {trans.__('at %1', step)}
      </span>
    </td>
  );
  return (
    <tr>
      <th scope="row" title={metric.key}>
        {metric.key}
      </th>
      <td>
        <Sparkline
          label={trans.__('Curve of %1', metric.key)}
          steps={metric.curve_steps}
          values={metric.curve_values}
        />
      </td>
      <td
        className="atelier-number"
        title={trans.__(
          '%1 at step %2',
          formatExact(metric.last),
          metric.last_step
        )}
      >
        {formatNumber(metric.last)}
      </td>
      {extreme(metric.lowest, metric.lowest_step)}
      {extreme(metric.highest, metric.highest_step)}
      <td className="atelier-number">{metric.point_count}</td>
    </tr>
  );
}
