/** Fields with a label, a help text and their own error. */
import { UUID } from '@lumino/coreutils';
import * as React from 'react';

interface IFieldProps {
  label: string;
  value: string;
  onChange(value: string): void;
  help?: string;
  error?: string;
}

export interface IInputProps extends IFieldProps {
  type?: 'text' | 'number';
  placeholder?: string;
}

export function InputField(props: IInputProps): React.ReactElement {
  return (
    <Field {...props}>
      {attributes => (
        <input
          {...attributes}
          type={props.type ?? 'text'}
          step={props.type === 'number' ? 'any' : undefined}
          placeholder={props.placeholder}
          value={props.value}
          onChange={event => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

export interface ISelectProps extends IFieldProps {
  options: { value: string; label: string }[];
}

export function SelectField(props: ISelectProps): React.ReactElement {
  return (
    <Field {...props}>
      {attributes => (
        <select
          {...attributes}
          value={props.value}
          onChange={event => props.onChange(event.target.value)}
        >
          {props.options.map(option => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function TextAreaField(
  props: IFieldProps & { rows?: number }
): React.ReactElement {
  return (
    <Field {...props}>
      {attributes => (
        <textarea
          {...attributes}
          rows={props.rows ?? 8}
          spellCheck={false}
          value={props.value}
          onChange={event => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** A choice between yes and no; its label stands behind it. */
export function CheckField(props: {
  label: string;
  isChecked: boolean;
  onChange(isChecked: boolean): void;
  help?: string;
}): React.ReactElement {
  const [id] = React.useState(() => `atelier-${UUID.uuid4()}`);
  return (
    <div className="atelier-Field">
      <label className="atelier-CheckField">
        <input
          type="checkbox"
          aria-describedby={props.help ? `${id}-note` : undefined}
          checked={props.isChecked}
          onChange={event => props.onChange(event.target.checked)}
        />
        <span>{props.label}</span>
      </label>
      {props.help && (
        <div id={`${id}-note`} className="atelier-muted">
          {props.help}
        </div>
      )}
    </div>
  );
}

interface IAttributes {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean | undefined;
}

function Field(
  props: IFieldProps & { children(attributes: IAttributes): React.ReactNode }
): React.ReactElement {
  const [id] = React.useState(() => `atelier-${UUID.uuid4()}`);
  const note = props.error ?? props.help;
  return (
    <div className="atelier-Field">
      <label htmlFor={id} className="atelier-ellipsis" title={props.label}>
        {props.label}
      </label>
      {props.children({
        id,
        'aria-describedby': note ? `${id}-note` : undefined,
        'aria-invalid': props.error ? true : undefined
      })}
      {note && (
        <div
          id={`${id}-note`}
          className={props.error ? 'atelier-Field-error' : 'atelier-muted'}
        >
          {note}
        </div>
      )}
    </div>
  );
}
