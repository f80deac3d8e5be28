/** The recipe as code: Python or SQL, the whole and the step that is selected. */
import * as React from 'react';

import { ApiError } from '../api';
import type * as api from '../api/types';
import { Button, CodeBlock, ErrorBar, LoadingState } from '../components';
import { useStudio } from '../frame/context';
import { writeCode } from './calls';

const DIALECTS: { value: string; label: string }[] = [
  { value: 'python', label: 'Python' },
  { value: 'pandas', label: 'pandas' },
  { value: 'polars', label: 'polars' },
  { value: 'duckdb', label: 'SQL (DuckDB)' },
  { value: 'postgres', label: 'SQL (PostgreSQL)' },
  { value: 'sqlite', label: 'SQL (SQLite)' },
  { value: 'mysql', label: 'SQL (MySQL)' },
  { value: 'trino', label: 'SQL (Trino)' },
  { value: 'snowflake', label: 'SQL (Snowflake)' },
  { value: 'bigquery', label: 'SQL (BigQuery)' }
];

export function CodeTab(props: {
  session: string;
  version: number;
  selected: string | null;
}): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { session, version, selected } = props;
  const [dialect, setDialect] = React.useState('python');
  const [code, setCode] = React.useState<api.CodeReply | null>(null);
  const [error, setError] = React.useState<ApiError | null>(null);
  React.useEffect(() => {
    const abort = new AbortController();
    writeCode(client, session, dialect, abort.signal)
      .then(reply => {
        setCode(reply);
        setError(null);
      })
      .catch((failure: unknown) => {
        if (!abort.signal.aborted) {
          setError(ApiError.of(failure));
        }
      });
    return () => abort.abort();
  }, [client, session, dialect, version]);
  const step = selected && code ? code.steps[selected] : undefined;
  return (
    <div className="atelier-CodeTab">
      <div className="atelier-CodeTab-bar">
        <label>
          {trans.__('Language')}{' '}
          <select
            className="jp-mod-styled"
            value={dialect}
            onChange={event => setDialect(event.target.value)}
          >
            {DIALECTS.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <Button
          label={trans.__('Insert into notebook')}
          isDisabled={
            !code || !['python', 'pandas', 'polars'].includes(dialect)
          }
          onClick={() => code && void studio.insertCell(code.code)}
        />
      </div>
      <ErrorBar error={error} />
      {code ? (
        <>
          {step && (
            <>
              <h3>{trans.__('This step')}</h3>
              <CodeBlock code={step} label={trans.__('Code of the step')} />
            </>
          )}
          <h3>{trans.__('The whole recipe')}</h3>
          <CodeBlock code={code.code} label={trans.__('Code of the recipe')} />
        </>
      ) : (
        !error && <LoadingState rows={8} />
      )}
    </div>
  );
}
