/** The parameters that the file tells, and lines for others. */
import * as React from 'react';

import type { EntryParameter } from '../../api';
import { InputField, SelectField } from '../../components';
import { useStudio } from '../../frame';
import { PairFields } from './PairFields';
import { paramText, textOf } from './draft';
import type { IFields } from './fields';

export function ParameterFields(fields: IFields): React.ReactElement {
  const { trans } = useStudio();
  const { form } = fields;
  const isNotebook = form.kind === 'notebook';
  const hint = isNotebook
    ? form.has_parameters_cell
      ? trans.__('From the notebook’s parameters cell.')
      : trans.__(
          'The notebook has no cell with the tag “parameters”: values that you add go above its first cell.'
        )
    : form.parameters.length > 0
      ? trans.__('From the script’s calls of add_argument.')
      : trans.__(
          'The script’s text tells none. Values that you add are given as --name value.'
        );
  return (
    <section aria-label={trans.__('Parameters')} data-fields="params">
      <h2>{trans.__('Parameters')}</h2>
      <p className="atelier-muted">
        {hint}{' '}
        {form.left_out.length > 0 &&
          trans.__(
            'Not to be set here, because they take no value or several: %1.',
            form.left_out.join(', ')
          )}
      </p>
      {form.parameters.length > 0 && (
        <div className="atelier-Form">
          {form.parameters.map(parameter => (
            <ParameterField
              key={parameter.name}
              {...fields}
              parameter={parameter}
            />
          ))}
        </div>
      )}
      <PairFields
        {...fields}
        part="further"
        labels={[trans.__('Parameter'), trans.__('Value')]}
        add={trans.__('Add a parameter')}
        remove={trans.__('Remove the parameter')}
        wholeError={fields.errorOf('params')}
      />
    </section>
  );
}

function ParameterField(
  props: IFields & { parameter: EntryParameter }
): React.ReactElement {
  const { draft, parameter } = props;
  const { name, type, comment } = parameter;
  const text = paramText(draft, parameter);
  const change = (value: string) =>
    props.change({ params: { ...draft.params, [name]: value } });
  const choices =
    parameter.choices.length > 0
      ? parameter.choices.map(textOf)
      : type === 'bool'
        ? ['true', 'false']
        : null;
  const error = props.errorOf(`params.${name}`);
  if (choices) {
    const options = [...(choices.includes(text) ? [] : [text]), ...choices];
    return (
      <SelectField
        label={name}
        value={text}
        onChange={change}
        help={comment || undefined}
        error={error}
        options={options.map(value => ({ value, label: value || '—' }))}
      />
    );
  }
  return (
    <InputField
      label={name}
      value={text}
      onChange={change}
      placeholder={type}
      help={comment || undefined}
      error={error}
    />
  );
}
