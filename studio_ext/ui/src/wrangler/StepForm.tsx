/** One step being made or changed: its fields, what it would change, and the buttons that apply it. */
import * as React from 'react';

import { ApiError } from '../api';
import type * as api from '../api/types';
import { Button, ErrorBar, formatCount, SelectField } from '../components';
import { useStudio } from '../frame/context';
import { compareStep } from './calls';
import type { INode, IRecipe } from './document';
import { firstSentence } from './OperatorMenu';
import { StepFields, Values } from './form/StepFields';
import { ISchema, missingOf } from './form/schema';

/** Milliseconds of rest after an edit before the preview is computed. */
const PREVIEW_DELAY = 250;

export interface IDraft {
  /** The recipe with the step as it is edited. */
  recipe: IRecipe;
  node: INode;
  isNew: boolean;
}

export interface IStepFormProps {
  session: string;
  operator: api.OperatorDetail;
  draft: IDraft;
  columns: api.ColumnDetail[];
  /** The parts whose rows the step may take besides the first. */
  tables: { value: string; label: string }[];
  onChange(params: Values): void;
  onInputs(inputs: string[]): void;
  onPreview(preview: api.CompareReply | null): void;
  onApply(): void;
  onCancel(): void;
}

export function StepForm(props: IStepFormProps): React.ReactElement {
  const { client, trans } = useStudio();
  const { operator, draft, session } = props;
  const [preview, setPreview] = React.useState<api.CompareReply | null>(null);
  const [failure, setFailure] = React.useState<ApiError | null>(null);
  const missing = missingOf(operator, draft.node.params);
  const { onPreview } = props;

  React.useEffect(() => {
    if (missing.length > 0) {
      setPreview(null);
      setFailure(null);
      onPreview(null);
      return;
    }
    const abort = new AbortController();
    const timer = window.setTimeout(() => {
      compareStep(client, session, draft.recipe, draft.node.id, abort.signal)
        .then(reply => {
          setPreview(reply);
          setFailure(null);
          onPreview(reply);
        })
        .catch((reason: unknown) => {
          if (!abort.signal.aborted) {
            setFailure(ApiError.of(reason));
            onPreview(null);
          }
        });
    }, PREVIEW_DELAY);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [client, session, draft.recipe, draft.node.id, missing.length, onPreview]);

  const report = preview?.parts.find(part => part.id === draft.node.id);
  const error = report?.error
    ? { field: report.error_field ?? null, message: report.error }
    : null;
  const isReady = missing.length === 0 && preview !== null && !error;
  return (
    <form
      className="atelier-StepForm"
      aria-label={operator.title}
      onSubmit={event => {
        event.preventDefault();
        if (isReady) {
          props.onApply();
        }
      }}
    >
      <header className="atelier-Pane-head">
        <h2>{operator.title}</h2>
      </header>
      <p className="atelier-muted">{firstSentence(operator.description)}</p>
      {operator.runs_code && (
        <p className="atelier-muted">
          {trans.__(
            'This step runs your code, with your rights, in the process of this recipe.'
          )}
        </p>
      )}
      <OtherTables {...props} />
      <StepFields
        schema={operator.parameters as ISchema}
        values={draft.node.params}
        columns={props.columns}
        error={error}
        onChange={props.onChange}
      />
      <ErrorBar error={failure} />
      {error && !error.field && (
        <div className="atelier-Field-error" role="alert">
          {error.message}
        </div>
      )}
      <div className="atelier-StepForm-preview" aria-live="polite">
        {missing.length > 0 ? (
          <span className="atelier-muted">
            {trans.__('Needed: %1', missing.join(', ').replace(/_/g, ' '))}
          </span>
        ) : (
          preview && !error && <Difference preview={preview} />
        )}
      </div>
      <footer className="atelier-StepForm-buttons">
        <Button
          kind="primary"
          label={draft.isNew ? trans.__('Apply') : trans.__('Save')}
          isDisabled={!isReady}
          onClick={props.onApply}
        />
        <Button label={trans.__('Cancel')} onClick={props.onCancel} />
      </footer>
    </form>
  );
}

/** The further tables of a join or a concatenation. */
function OtherTables(props: IStepFormProps): React.ReactElement | null {
  const { trans } = useStudio();
  const { operator, draft, tables } = props;
  const [first, ...others] = draft.node.inputs;
  if (operator.most_inputs < 2) {
    return null;
  }
  const set = (place: number, id: string | null) => {
    const changed = others.slice();
    changed.splice(place, 1, ...(id === null ? [] : [id]));
    props.onInputs([first, ...changed]);
  };
  return (
    <>
      {others.map((id, place) => (
        <div className="atelier-StepForm-table" key={place}>
          <SelectField
            label={
              others.length > 1
                ? trans.__('Table %1', place + 2)
                : trans.__('Second table')
            }
            value={id}
            options={tables}
            onChange={value => set(place, value)}
          />
          {others.length + 1 > operator.least_inputs && (
            <Button
              label={trans.__('Remove')}
              onClick={() => set(place, null)}
            />
          )}
        </div>
      ))}
      {others.length + 1 < operator.most_inputs && tables.length > 0 && (
        <Button
          label={trans.__('Another table')}
          onClick={() =>
            props.onInputs([first, ...others, tables[tables.length - 1].value])
          }
        />
      )}
    </>
  );
}

/** What a step changes, in words and counts. */
function Difference(props: { preview: api.CompareReply }): React.ReactElement {
  const { trans } = useStudio();
  const { preview } = props;
  const changed = Object.entries(preview.changed ?? {});
  const scope = preview.is_whole
    ? trans.__('In all %1 rows', formatCount(preview.rows_before))
    : trans.__('In the first %1 rows', formatCount(preview.rows_before));
  const lines = [
    preview.rows_after !== preview.rows_before
      ? trans.__(
          '%1 rows become %2',
          formatCount(preview.rows_before),
          formatCount(preview.rows_after)
        )
      : '',
    preview.added.length
      ? trans.__(
          '%1 new columns: %2',
          preview.added.length,
          short(preview.added)
        )
      : '',
    preview.removed.length
      ? trans.__(
          '%1 columns go: %2',
          preview.removed.length,
          short(preview.removed)
        )
      : '',
    ...changed
      .slice(0, 8)
      .map(([name, count]) =>
        trans._n('%2: %1 value changes', '%2: %1 values change', count, name)
      ),
    changed.length > 8
      ? trans.__('%1 more columns change', changed.length - 8)
      : ''
  ].filter(line => line);
  return (
    <>
      <strong>{scope}</strong>
      <ul>
        {lines.map(line => (
          <li key={line}>{line}</li>
        ))}
        {lines.length === 0 && <li>{trans.__('nothing changes')}</li>}
      </ul>
    </>
  );
}

function short(names: string[]): string {
  return names.length > 6
    ? `${names.slice(0, 6).join(', ')}, …`
    : names.join(', ');
}
