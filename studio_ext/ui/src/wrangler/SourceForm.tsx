/** A table that a recipe reads: where from, how, which rows; how its types were found, and what did not fit. */
import * as React from 'react';

import type * as api from '../api/types';
import {
  Button,
  ErrorState,
  formatCount,
  InputField,
  LoadingState,
  SelectField,
  TextAreaField
} from '../components';
import { useStudio } from '../frame/context';
import { useResource } from '../frame/resource';
import { describeSource } from './calls';
import type { ISource } from './document';
import {
  FORMATS,
  formatOf,
  optionText,
  OPTIONS,
  withOption,
  withType
} from './sourceOptions';

export interface ISourceFormProps {
  session: string;
  /** Changes when the recipe was computed anew. */
  version: number;
  source: ISource;
  onApply(source: ISource): void;
  onClose(): void;
}

export function SourceForm(props: ISourceFormProps): React.ReactElement {
  const { trans } = useStudio();
  const [draft, setDraft] = React.useState(props.source);
  React.useEffect(() => setDraft(props.source), [props.source]);
  const change = (part: Partial<ISource>) => setDraft({ ...draft, ...part });
  const format = formatOf(draft);
  const isChanged = JSON.stringify(draft) !== JSON.stringify(props.source);
  const isDatabase = draft.kind === 'database';
  return (
    <form
      className="atelier-StepForm"
      aria-label={trans.__('Table')}
      onSubmit={event => {
        event.preventDefault();
        props.onApply(draft);
      }}
    >
      <header className="atelier-Pane-head">
        <h2>{trans.__('Table')}</h2>
      </header>
      <InputField
        label={trans.__('Name')}
        value={draft.name ?? ''}
        placeholder={trans.__('the end of its address')}
        onChange={name => change({ name })}
      />
      <InputField
        label={isDatabase ? trans.__('Database') : trans.__('File or address')}
        value={draft.uri ?? ''}
        help={trans.__(
          'From the folder of the recipe; * stands for any part of a name, ${name} for a parameter.'
        )}
        onChange={uri => change({ uri })}
      />
      {isDatabase ? (
        <TextAreaField
          label={trans.__('Table or SELECT')}
          rows={4}
          value={draft.query ?? ''}
          onChange={query => change({ query })}
        />
      ) : (
        <SelectField
          label={trans.__('Format')}
          value={draft.format ?? ''}
          options={[
            { value: '', label: trans.__('by the end of the name') },
            ...FORMATS.map(value => ({ value, label: value }))
          ]}
          onChange={value => change({ format: value || null })}
        />
      )}
      {!isDatabase &&
        (OPTIONS[format] ?? []).map(({ name, label, choices }) =>
          choices ? (
            <SelectField
              key={name}
              label={trans.__(label)}
              value={optionText(draft, name)}
              options={choices.map(choice => ({
                value: choice.value,
                label: trans.__(choice.label)
              }))}
              onChange={text => setDraft(withOption(draft, name, text))}
            />
          ) : (
            <InputField
              key={name}
              label={trans.__(label)}
              value={optionText(draft, name)}
              placeholder={trans.__('found by itself')}
              onChange={text => setDraft(withOption(draft, name, text))}
            />
          )
        )}
      <Sampling draft={draft} onChange={sampling => change({ sampling })} />
      <footer className="atelier-StepForm-buttons">
        <Button
          kind="primary"
          label={trans.__('Save')}
          isDisabled={!isChanged}
          onClick={() => props.onApply(draft)}
        />
        <Button label={trans.__('Close')} onClick={props.onClose} />
      </footer>
      <Findings
        {...props}
        canRetype={format === 'csv' || format === 'tsv'}
        draft={draft}
        onDraft={setDraft}
      />
    </form>
  );
}

function Sampling(props: {
  draft: ISource;
  onChange(sampling: ISource['sampling']): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const sampling = props.draft.sampling ?? {};
  const method = String(sampling.method ?? 'none');
  const set = (part: { [name: string]: unknown }) =>
    props.onChange({ ...sampling, ...part });
  const whole = (text: string, least: number) =>
    Math.max(least, Math.round(Number(text)) || least);
  return (
    <>
      <SelectField
        label={trans.__('Rows')}
        value={method}
        options={[
          { value: 'none', label: trans.__('all') },
          { value: 'first', label: trans.__('the first') },
          { value: 'random', label: trans.__('by chance') },
          {
            value: 'stratified',
            label: trans.__('by chance, with shares kept')
          }
        ]}
        onChange={value => set({ method: value })}
      />
      {method !== 'none' && (
        <InputField
          label={trans.__('How many rows')}
          type="number"
          value={String(sampling.rows ?? 50000)}
          onChange={text => set({ rows: whole(text, 1) })}
        />
      )}
      {method === 'stratified' && (
        <InputField
          label={trans.__('Column whose shares are kept')}
          value={String(sampling.column ?? '')}
          onChange={column => set({ column })}
        />
      )}
      {(method === 'random' || method === 'stratified') && (
        <InputField
          label={trans.__('Seed')}
          type="number"
          value={String(sampling.seed ?? 0)}
          help={trans.__('The same seed takes the same rows.')}
          onChange={text => set({ seed: whole(text, 0) })}
        />
      )}
    </>
  );
}

const TYPES = ['text', 'integer', 'float', 'boolean', 'date', 'datetime'];

/** What was found when the table was read. */
function Findings(
  props: ISourceFormProps & {
    canRetype: boolean;
    draft: ISource;
    onDraft(source: ISource): void;
  }
): React.ReactElement {
  const { client, trans } = useStudio();
  const { session, version, source } = props;
  const report = useResource(
    `source ${session} ${source.id} ${version}`,
    signal => describeSource(client, session, source.id, signal)
  );
  if (!report.data) {
    return report.error ? (
      <ErrorState
        title={trans.__('This table could not be read')}
        error={report.error}
      />
    ) : (
      <LoadingState rows={4} />
    );
  }
  const { columns, rejected, rejects, warnings, is_whole } = report.data;
  const types = (props.draft.options?.types ?? {}) as {
    [name: string]: string;
  };
  return (
    <>
      {warnings.map(text => (
        <p key={text} className="atelier-SourceForm-warning">
          {text}
        </p>
      ))}
      {rejected > 0 && (
        <section className="atelier-SourceForm-section">
          <h3>
            {trans._n(
              '%1 row could not be read',
              '%1 rows could not be read',
              rejected,
              formatCount(rejected)
            )}
          </h3>
          <ul
            className="atelier-SourceForm-rejects"
            tabIndex={0}
            aria-label={trans.__('Rows that could not be read')}
          >
            {rejects.map((row, index) => (
              <li key={index}>
                <span>
                  {trans.__('Line %1: %2', row.line ?? '?', row.reason)}
                </span>
                <code>{row.text}</code>
              </li>
            ))}
          </ul>
          {rejects.length < rejected && (
            <p className="atelier-muted">
              {trans.__('These are the first %1.', rejects.length)}
            </p>
          )}
        </section>
      )}
      <section className="atelier-SourceForm-section">
        <h3>{trans.__('Types')}</h3>
        {!is_whole && (
          <p className="atelier-muted">{trans.__('Of the first rows.')}</p>
        )}
        <table>
          <tbody>
            {columns.slice(0, SHOWN_COLUMNS).map(column => (
              <tr key={column.name}>
                <th scope="row" title={column.name}>
                  {column.name}
                </th>
                <td>
                  {props.canRetype ? (
                    <select
                      aria-label={trans.__('Type of %1', column.name)}
                      value={types[column.name] ?? ''}
                      onChange={event =>
                        props.onDraft(
                          withType(props.draft, column.name, event.target.value)
                        )
                      }
                    >
                      <option value="">{column.type}</option>
                      {TYPES.map(type => (
                        <option key={type} value={type}>
                          {type}
                        </option>
                      ))}
                    </select>
                  ) : (
                    column.type
                  )}
                  <Reason column={column} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {columns.length > SHOWN_COLUMNS && (
          <p className="atelier-muted">
            {trans.__('%1 more columns', columns.length - SHOWN_COLUMNS)}
          </p>
        )}
      </section>
    </>
  );
}

const SHOWN_COLUMNS = 300;

function Reason(props: {
  column: api.SourceReport['columns'][number];
}): React.ReactElement | null {
  const { trans } = useStudio();
  const { notes, inferred_from } = props.column;
  const lines = [
    ...(inferred_from === null
      ? []
      : [trans.__('from %1 values', formatCount(inferred_from))]),
    ...notes
  ];
  return lines.length ? (
    <div className="atelier-muted">{lines.join('. ')}</div>
  ) : null;
}
