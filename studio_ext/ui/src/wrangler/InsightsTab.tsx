/** What is wrong with the data: findings with their numbers, and the steps that mend them, applied with a click. */
import * as React from 'react';

import { ApiError } from '../api';
import type * as api from '../api/types';
import {
  Button,
  EmptyState,
  ErrorBar,
  formatCount,
  formatNumber,
  saveFile,
  StateChip,
  Tone,
  useAction
} from '../components';
import { useStudio } from '../frame/context';
import { downloadInsights, Progress, runTask } from './calls';

export interface ISuggestion {
  op: string;
  params: { [name: string]: unknown };
  reason: string;
}

export interface IFinding {
  id: string;
  columns: string[];
  severity: 'low' | 'medium' | 'high';
  title: string;
  message: string;
  evidence: { [name: string]: unknown };
  exact: boolean;
  n: number;
  suggestions: ISuggestion[];
}

export interface IReport {
  summary: string;
  rows: number;
  findings: IFinding[];
  power: { column: string; power: number }[];
  quick_model: {
    task: string;
    metrics: { [name: string]: unknown };
  } | null;
}

const TONES: { [severity: string]: Tone } = {
  high: 'bad',
  medium: 'warn',
  low: 'plain'
};

export interface IInsightsTabProps {
  session: string;
  node: string;
  columns: api.ColumnDetail[];
  report: IReport | null;
  onReport(report: IReport): void;
  onApply(suggestion: ISuggestion): void;
}

export function InsightsTab(props: IInsightsTabProps): React.ReactElement {
  const { client, trans } = useStudio();
  const { session, node, columns, report } = props;
  const [target, setTarget] = React.useState('');
  const [progress, setProgress] = React.useState<Progress | null>(null);
  const [error, setError] = React.useState<ApiError | null>(null);
  const stop = React.useRef<AbortController | null>(null);
  const look = () => {
    const abort = (stop.current = new AbortController());
    setProgress({});
    setError(null);
    runTask<IReport>(
      client,
      session,
      'insights',
      { node, target: target || null },
      { signal: abort.signal, onProgress: setProgress }
    )
      .then(props.onReport)
      .catch((failure: unknown) => {
        if (!abort.signal.aborted) {
          setError(ApiError.of(failure));
        }
      })
      .finally(() => setProgress(null));
  };
  React.useEffect(() => () => stop.current?.abort(), []);
  const saving = useAction();
  const save = async (form: 'html' | 'notebook') => {
    const url = URL.createObjectURL(
      await downloadInsights(client, session, node, form)
    );
    saveFile(url, form === 'html' ? 'insights.html' : 'insights.ipynb');
    window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return (
    <div className="atelier-Insights">
      <div className="atelier-CodeTab-bar">
        <label>
          {trans.__('To be predicted')}{' '}
          <select
            className="jp-mod-styled"
            value={target}
            onChange={event => setTarget(event.target.value)}
          >
            <option value="">{trans.__('nothing')}</option>
            {columns.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <Button
          kind="primary"
          label={
            report ? trans.__('Look again') : trans.__('Look for problems')
          }
          isBusy={progress !== null}
          onClick={look}
        />
        {report &&
          (['html', 'notebook'] as const).map(form => (
            <Button
              key={form}
              label={
                form === 'html'
                  ? trans.__('Download report')
                  : trans.__('Download notebook')
              }
              isBusy={saving.isBusy}
              onClick={() => void saving.run(() => save(form))}
            />
          ))}
        {progress && (
          <>
            <progress
              aria-label={trans.__('Progress')}
              value={progress.total ? (progress.done ?? 0) : undefined}
              max={progress.total ?? undefined}
            />
            <span role="status">{progress.description ?? ''}</span>
            <Button
              label={trans.__('Stop')}
              onClick={() => stop.current?.abort()}
            />
          </>
        )}
      </div>
      <ErrorBar error={error} dismiss={() => setError(null)} />
      <ErrorBar error={saving.error} dismiss={saving.dismiss} />
      {report ? (
        <Report report={report} onApply={props.onApply} />
      ) : (
        !progress && (
          <EmptyState
            title={trans.__('Not looked at yet')}
            text={trans.__(
              'The checks look at all rows: missing and disguised values, types, outliers, duplicates, leakage and more.'
            )}
          />
        )
      )}
    </div>
  );
}

function Report(props: {
  report: IReport;
  onApply(suggestion: ISuggestion): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { report } = props;
  return (
    <>
      <p className="atelier-Insights-summary">{report.summary}</p>
      <ul className="atelier-Insights-list">
        {report.findings.map(finding => (
          <li key={finding.id} data-severity={finding.severity}>
            <div className="atelier-Insights-head">
              <StateChip
                tone={TONES[finding.severity]}
                label={finding.severity}
              />
              <strong>{finding.title}</strong>
              <span className="atelier-muted">
                {finding.exact
                  ? ''
                  : trans.__('≈ from %1 rows', formatCount(finding.n))}
              </span>
            </div>
            <p>{finding.message}</p>
            {finding.suggestions.map((suggestion, index) => (
              <div key={index} className="atelier-Insights-step">
                <Button
                  label={trans.__('Apply')}
                  description={trans.__('Apply: %1', suggestion.reason)}
                  onClick={() => props.onApply(suggestion)}
                />
                <span>{suggestion.reason}</span>
                <code>{suggestion.op}</code>
              </div>
            ))}
          </li>
        ))}
      </ul>
      {report.power.length > 0 && (
        <>
          <h3>{trans.__('How well each column alone predicts')}</h3>
          <table className="atelier-Table">
            <thead>
              <tr>
                <th scope="col">{trans.__('Column')}</th>
                <th scope="col" className="atelier-number">
                  {trans.__('Power, 0 to 1')}
                </th>
              </tr>
            </thead>
            <tbody>
              {report.power.slice(0, 30).map(({ column, power }) => (
                <tr key={column}>
                  <th scope="row">{column}</th>
                  <td className="atelier-number">{formatNumber(power)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </>
  );
}
