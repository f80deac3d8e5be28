/** The fields of a step, made from the JSON Schema of its operator. */
import * as React from 'react';

import type * as api from '../../api/types';
import {
  Button,
  CheckField,
  InputField,
  SelectField,
  TextAreaField
} from '../../components';
import { useStudio } from '../../frame/context';
import { ColumnsField } from './ColumnPicker';
import {
  fieldKind,
  ISchema,
  labelOf,
  readScalar,
  resolveSchema
} from './schema';

/** Fields of a step that are always in sight. */
const PLAIN_FIELDS = 4;

export type Values = { [name: string]: unknown };

export interface IStepFieldsProps {
  schema: ISchema;
  defs?: { [name: string]: ISchema };
  values: Values;
  columns: api.ColumnDetail[];
  /** What is wrong, and with which field. */
  error?: { field: string | null; message: string } | null;
  onChange(values: Values): void;
}

export function StepFields(props: IStepFieldsProps): React.ReactElement {
  const { schema, values, error } = props;
  const defs = props.defs ?? schema.$defs ?? {};
  const set = (name: string, value: unknown) => {
    const next = { ...values };
    if (value === undefined) {
      delete next[name];
    } else {
      next[name] = value;
    }
    props.onChange(next);
  };
  const { trans } = useStudio();
  const fields = Object.entries(schema.properties ?? {})
    .map(([name, field]) => ({ name, ...resolveSchema(field, defs) }))
    .filter(field => field.schema.const === undefined);
  const isRequired = (name: string) => schema.required?.includes(name) ?? false;
  // Options that most people leave alone are folded, but never one with a fault.
  const isFolded = (name: string, place: number) =>
    place >= PLAIN_FIELDS && !isRequired(name) && error?.field !== name;
  const draw = ({ name, schema: resolved, isOptional }: (typeof fields)[0]) => (
    <StepField
      key={name}
      name={name}
      schema={resolved}
      defs={defs}
      isOptional={isOptional}
      isRequired={isRequired(name)}
      value={values[name] ?? resolved.default ?? undefined}
      columns={props.columns}
      error={error?.field === name ? error.message : undefined}
      onChange={value => set(name, value)}
    />
  );
  const folded = fields.filter(({ name }, place) => isFolded(name, place));
  return (
    <>
      {fields.filter(field => !folded.includes(field)).map(draw)}
      {folded.length > 0 && (
        <details className="atelier-MoreFields">
          <summary>{trans.__('More options (%1)', folded.length)}</summary>
          {folded.map(draw)}
        </details>
      )}
    </>
  );
}

interface IStepFieldProps {
  name: string;
  schema: ISchema;
  defs: { [name: string]: ISchema };
  isOptional: boolean;
  isRequired: boolean;
  value: unknown;
  columns: api.ColumnDetail[];
  error?: string;
  onChange(value: unknown): void;
}

function StepField(props: IStepFieldProps): React.ReactElement {
  const { trans } = useStudio();
  const { schema, defs, value, columns, error, onChange } = props;
  const label = labelOf(props.name, schema);
  const help = schema.description;
  const kinds = schema['x-ui']?.kinds ?? [];
  const texts = Array.isArray(value) ? value.map(String) : [];
  switch (fieldKind(schema, defs)) {
    case 'columns':
      return (
        <ColumnsField
          label={label}
          help={help}
          error={error}
          columns={columns}
          kinds={kinds}
          value={texts}
          onChange={names => onChange(names.length ? names : undefined)}
        />
      );
    case 'column': {
      const possible = columns.filter(
        column => kinds.length === 0 || kinds.includes(column.kind)
      );
      const options = possible.map(({ name }) => ({
        value: name,
        label: name
      }));
      const chosen = typeof value === 'string' ? value : '';
      if (chosen && !possible.some(({ name }) => name === chosen)) {
        options.unshift({ value: chosen, label: chosen });
      }
      return (
        <SelectField
          label={label}
          help={help}
          error={error}
          value={chosen}
          options={[
            { value: '', label: trans.__('Choose a column') },
            ...options
          ]}
          onChange={name => onChange(name || undefined)}
        />
      );
    }
    case 'choice': {
      const options = (schema.enum ?? []).map(one => ({
        value: String(one),
        label: String(one).replace(/_/g, ' ')
      }));
      return (
        <SelectField
          label={label}
          help={help}
          error={error}
          value={value === undefined || value === null ? '' : String(value)}
          options={
            props.isOptional ||
            (props.isRequired && schema.default === undefined)
              ? [{ value: '', label: trans.__('Choose') }, ...options]
              : options
          }
          onChange={text =>
            onChange(
              (schema.enum ?? []).find(one => String(one) === text) ?? undefined
            )
          }
        />
      );
    }
    case 'check':
      return (
        <CheckField
          label={label}
          help={error ?? help}
          isChecked={Boolean(value)}
          onChange={onChange}
        />
      );
    case 'number':
      return (
        <InputField
          label={label}
          help={help}
          error={error}
          type="number"
          value={value === undefined || value === null ? '' : String(value)}
          onChange={text => onChange(text === '' ? undefined : Number(text))}
        />
      );
    case 'code':
      return (
        <TextAreaField
          label={label}
          help={help}
          error={error}
          rows={schema['x-ui']?.widget === 'formula' ? 3 : 10}
          value={typeof value === 'string' ? value : ''}
          onChange={text => onChange(text || undefined)}
        />
      );
    case 'text':
      return (
        <InputField
          label={label}
          help={help}
          error={error}
          value={typeof value === 'string' ? value : ''}
          onChange={text =>
            onChange(text === '' && props.isOptional ? undefined : text)
          }
        />
      );
    case 'scalar':
      return (
        <InputField
          label={label}
          help={help}
          error={error}
          value={value === undefined || value === null ? '' : String(value)}
          onChange={text =>
            onChange(text === '' ? undefined : readScalar(text))
          }
        />
      );
    case 'texts':
    case 'numbers':
      return (
        <ListField
          {...props}
          label={label}
          isNumber={fieldKind(schema, defs) === 'numbers'}
        />
      );
    case 'object':
      return (
        <fieldset className="atelier-Field atelier-SubForm">
          <legend>{label}</legend>
          <StepFields
            schema={schema}
            defs={defs}
            values={(value as Values | undefined) ?? {}}
            columns={columns}
            onChange={onChange}
          />
        </fieldset>
      );
    case 'objects':
      return <ObjectsField {...props} label={label} />;
    default:
      return <JsonField {...props} label={label} />;
  }
}

/** Several values, one on each line. */
function ListField(
  props: IStepFieldProps & { label: string; isNumber: boolean }
): React.ReactElement {
  const { trans } = useStudio();
  const shown = Array.isArray(props.value) ? props.value.join('\n') : '';
  const [text, setText] = React.useState(shown);
  React.useEffect(() => {
    if (linesOf(text).join('\n') !== shown) {
      setText(shown);
    }
  }, [shown]);
  return (
    <TextAreaField
      label={props.label}
      help={`${props.schema.description ?? ''} ${trans.__('One on each line.')}`.trim()}
      error={props.error}
      rows={3}
      value={text}
      onChange={next => {
        setText(next);
        const lines = linesOf(next);
        const values = props.isNumber ? lines.map(Number) : lines;
        props.onChange(values.length ? values : undefined);
      }}
    />
  );
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line);
}

/** Several groups of fields, each with a button that takes it away. */
function ObjectsField(
  props: IStepFieldProps & { label: string }
): React.ReactElement {
  const { trans } = useStudio();
  const items = Array.isArray(props.value) ? (props.value as Values[]) : [];
  const schema = resolveSchema(props.schema.items ?? {}, props.defs).schema;
  const replace = (index: number, item: Values | null) => {
    const next = items.flatMap((one, place) =>
      place !== index ? [one] : item ? [item] : []
    );
    props.onChange(next.length ? next : undefined);
  };
  return (
    <fieldset className="atelier-Field atelier-SubForm">
      <legend>{props.label}</legend>
      {props.schema.description && (
        <div className="atelier-muted">{props.schema.description}</div>
      )}
      {items.map((item, index) => (
        <div key={index} className="atelier-SubForm-item">
          <StepFields
            schema={schema}
            defs={props.defs}
            values={item}
            columns={props.columns}
            onChange={next => replace(index, next)}
          />
          <button
            type="button"
            className="atelier-TextButton"
            aria-label={trans.__('Remove number %1', index + 1)}
            onClick={() => replace(index, null)}
          >
            {trans.__('Remove')}
          </button>
        </div>
      ))}
      {props.error && (
        <div className="atelier-Field-error" role="alert">
          {props.error}
        </div>
      )}
      <Button
        label={trans.__('Add')}
        onClick={() => props.onChange([...items, {}])}
      />
    </fieldset>
  );
}

/** Anything else, as JSON; what is no JSON stays in the field and is said. */
function JsonField(
  props: IStepFieldProps & { label: string }
): React.ReactElement {
  const { trans } = useStudio();
  const shown = props.value === undefined ? '' : JSON.stringify(props.value);
  const [text, setText] = React.useState(shown);
  const [isWrong, setWrong] = React.useState(false);
  return (
    <TextAreaField
      label={props.label}
      help={`${props.schema.description ?? ''} ${trans.__('As JSON, for example {"old": "new"}.')}`.trim()}
      error={isWrong ? trans.__('This is not JSON yet.') : props.error}
      rows={3}
      value={text}
      onChange={next => {
        setText(next);
        try {
          props.onChange(
            next.trim() ? (JSON.parse(next) as unknown) : undefined
          );
          setWrong(false);
        } catch {
          setWrong(true);
        }
      }}
    />
  );
}
