/** A field for each input column of a model. */
import * as React from 'react';

import type { Column } from '../api';
import { InputField, SelectField } from '../components';
import { useStudio } from '../frame';
import { Fields, problemOf } from './request';

export function RowForm(props: {
  columns: Column[];
  fields: Fields;
  onChange(name: string, value: string): void;
}): React.ReactElement {
  return (
    <div className="atelier-Form">
      {props.columns.map(column => (
        <ColumnField
          key={column.name}
          column={column}
          value={props.fields[column.name] ?? ''}
          onChange={value => props.onChange(column.name, value)}
        />
      ))}
    </div>
  );
}

function ColumnField(props: {
  column: Column;
  value: string;
  onChange(value: string): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { column, value, onChange } = props;
  const choices =
    column.categories?.map(String) ??
    (column.type === 'boolean' ? ['true', 'false'] : null);
  if (choices) {
    const isUnknown = value !== '' && !choices.includes(value);
    const options = [
      ...(column.nullable || value === '' ? [''] : []),
      ...(isUnknown ? [value] : []),
      ...choices
    ].map(choice => ({ value: choice, label: choice || '—' }));
    return (
      <SelectField
        label={column.name}
        value={value}
        onChange={onChange}
        options={options}
      />
    );
  }
  const isNumber = column.type === 'long' || column.type === 'double';
  const problems = {
    missing: trans.__('A value is needed.'),
    number: trans.__('A number is needed.'),
    integer: trans.__('A whole number is needed.')
  };
  const problem = problemOf(column, value);
  return (
    <InputField
      label={column.name}
      type={isNumber ? 'number' : 'text'}
      placeholder={column.nullable ? trans.__('missing') : undefined}
      value={value}
      onChange={onChange}
      error={problem ? problems[problem] : undefined}
    />
  );
}
