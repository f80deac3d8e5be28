/** Figures and facts about all rows after a step: chosen, drawn, kept with the recipe. */
import * as React from 'react';

import { ApiError } from '../api';
import type * as api from '../api/types';
import {
  Button,
  EmptyState,
  ErrorBar,
  Figure,
  formatCell,
  formatCount,
  LoadingState
} from '../components';
import type { IFigure } from '../components/theme';
import { useStudio } from '../frame/context';
import { useResource } from '../frame/resource';
import { listAnalyses, runTask } from './calls';
import type { IAnalysis } from './document';
import { ISchema, missingOf } from './form/schema';
import { StepFields, Values } from './form/StepFields';
import { firstSentence } from './OperatorMenu';

interface IAnalysisResult {
  figure: IFigure | null;
  table: { columns: string[]; rows: unknown[][]; total: number } | null;
  facts: { [name: string]: unknown };
  exact: boolean;
  n: number;
  notes: string[];
}

export interface IAnalysesTabProps {
  session: string;
  node: string;
  columns: api.ColumnDetail[];
  kept: IAnalysis[];
  onKeep(analyses: IAnalysis[]): void;
}

export function AnalysesTab(props: IAnalysesTabProps): React.ReactElement {
  const { client, trans } = useStudio();
  const kinds = useResource('analyses', signal => listAnalyses(client, signal));
  if (!kinds.data) {
    return <LoadingState rows={8} />;
  }
  return kinds.data.items.length === 0 ? (
    <EmptyState title={trans.__('No analyses')} text="" />
  ) : (
    <Analyses {...props} kinds={kinds.data.items} />
  );
}

function Analyses(
  props: IAnalysesTabProps & { kinds: api.AnalysisKind[] }
): React.ReactElement {
  const { client, trans } = useStudio();
  const { session, node, kinds, kept, columns } = props;
  const [name, setName] = React.useState(kinds[0].kind);
  const [params, setParams] = React.useState<Values>({});
  const [result, setResult] = React.useState<IAnalysisResult | null>(null);
  const [error, setError] = React.useState<ApiError | null>(null);
  const [isBusy, setBusy] = React.useState(false);
  const stop = React.useRef<AbortController | null>(null);
  React.useEffect(() => () => stop.current?.abort(), []);
  const kind = kinds.find(one => one.kind === name) ?? kinds[0];
  const missing = missingOf(kind, params);
  const draw = (which: string, values: Values) => {
    const abort = (stop.current = new AbortController());
    setBusy(true);
    setError(null);
    runTask<IAnalysisResult>(
      client,
      session,
      'analyses',
      { node, kind: which, params: values },
      { signal: abort.signal }
    )
      .then(setResult)
      .catch((failure: unknown) => {
        if (!abort.signal.aborted) {
          setResult(null);
          setError(ApiError.of(failure));
        }
      })
      .finally(() => setBusy(false));
  };
  const choose = (which: string, values: Values) => {
    setName(which);
    setParams(values);
    setResult(null);
    setError(null);
  };
  const keep = () => {
    const taken = new Set(kept.map(({ id }) => id));
    let number = kept.length + 1;
    while (taken.has(`a${number}`)) {
      number += 1;
    }
    props.onKeep([
      ...kept,
      { id: `a${number}`, node, kind: kind.kind, params }
    ]);
  };
  return (
    <div className="atelier-Analyses">
      <aside className="atelier-Analyses-form">
        <label>
          {trans.__('Analysis')}{' '}
          <select
            className="jp-mod-styled"
            value={kind.kind}
            onChange={event => choose(event.target.value, {})}
          >
            {kinds.map(one => (
              <option key={one.kind} value={one.kind}>
                {one.title}
              </option>
            ))}
          </select>
        </label>
        <p className="atelier-muted">{firstSentence(kind.description)}</p>
        <StepFields
          schema={kind.parameters as ISchema}
          values={params}
          columns={columns}
          error={error && { field: error.field, message: error.message }}
          onChange={setParams}
        />
        <div className="atelier-StepForm-buttons">
          <Button
            kind="primary"
            label={trans.__('Draw')}
            isBusy={isBusy}
            isDisabled={missing.length > 0}
            onClick={() => draw(kind.kind, params)}
          />
          {isBusy && (
            <Button
              label={trans.__('Stop')}
              onClick={() => stop.current?.abort()}
            />
          )}
          {result && (
            <Button label={trans.__('Keep with the recipe')} onClick={keep} />
          )}
        </div>
        {kept.length > 0 && (
          <>
            <h3>{trans.__('Kept')}</h3>
            <ul className="atelier-Analyses-kept">
              {kept.map(one => (
                <li key={one.id}>
                  <button
                    type="button"
                    className="atelier-TextButton"
                    onClick={() => {
                      choose(one.kind, one.params);
                      draw(one.kind, one.params);
                    }}
                  >
                    {kinds.find(other => other.kind === one.kind)?.title ??
                      one.kind}
                  </button>
                  <button
                    type="button"
                    className="atelier-TextButton"
                    aria-label={trans.__('Remove %1', one.kind)}
                    onClick={() =>
                      props.onKeep(kept.filter(other => other !== one))
                    }
                  >
                    {trans.__('Remove')}
                  </button>
                </li>
              ))}
            </ul>
          </>
        )}
      </aside>
      <div className="atelier-Analyses-result">
        {error && !error.field && <ErrorBar error={error} />}
        {isBusy && !result && <LoadingState rows={8} />}
        {result ? (
          <Result result={result} title={kind.title} />
        ) : (
          !isBusy &&
          !error && (
            <EmptyState
              title={trans.__('Nothing drawn yet')}
              text={trans.__(
                'Choose an analysis and its columns. It is computed from all rows.'
              )}
            />
          )
        )}
      </div>
    </div>
  );
}

function Result(props: {
  result: IAnalysisResult;
  title: string;
}): React.ReactElement {
  const { trans } = useStudio();
  const { result, title } = props;
  const facts = Object.entries(result.facts);
  return (
    <>
      <p className="atelier-muted">
        {result.exact
          ? trans.__('All %1 rows', formatCount(result.n))
          : trans.__('≈ from %1 rows', formatCount(result.n))}
        {result.notes.map(note => ` · ${note}`).join('')}
      </p>
      {result.figure && (
        <Figure title={title} figure={result.figure} height={420} />
      )}
      {facts.length > 0 && (
        <dl className="atelier-Analyses-facts">
          {facts.map(([name, value]) => (
            <React.Fragment key={name}>
              <dt>{name.replace(/_/g, ' ')}</dt>
              <dd>{formatCell(value)}</dd>
            </React.Fragment>
          ))}
        </dl>
      )}
      {result.table && (
        <div className="atelier-Grid-plain" tabIndex={0} role="group">
          <table>
            <caption>
              {trans.__('%1 rows', formatCount(result.table.total))}
            </caption>
            <thead>
              <tr>
                {result.table.columns.map(name => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {result.table.rows.slice(0, 200).map((row, index) => (
                <tr key={index}>
                  {row.map((value, place) => (
                    <td key={place}>{formatCell(value)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
