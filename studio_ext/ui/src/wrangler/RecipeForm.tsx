/** What a recipe is called and for, the parameters that its addresses may name, and its results. */
import * as React from 'react';

import type * as api from '../api/types';
import { Button, InputField, SelectField, TextAreaField } from '../components';
import { useStudio } from '../frame/context';
import type { IParameter, IRecipe } from './document';

export interface IRecipeFormProps {
  recipe: IRecipe;
  parts: api.PartReport[];
  onApply(recipe: IRecipe): void;
  onClose(): void;
}

interface IRow extends IParameter {
  name: string;
}

export function RecipeForm(props: IRecipeFormProps): React.ReactElement {
  const { trans } = useStudio();
  const { recipe, parts } = props;
  const [name, setName] = React.useState(recipe.name);
  const [description, setDescription] = React.useState(
    recipe.description ?? ''
  );
  const [rows, setRows] = React.useState<IRow[]>(() =>
    Object.entries(recipe.parameters ?? {}).map(([key, value]) => ({
      ...value,
      name: key
    }))
  );
  const [outputs, setOutputs] = React.useState(recipe.outputs ?? []);
  const names = rows.map(row => row.name);
  const wrong =
    !name.trim() ||
    names.some(
      (one, place) => !/^\w+$/.test(one) || names.indexOf(one) < place
    );
  const setRow = (place: number, change: Partial<IRow>) =>
    setRows(
      rows.map((row, at) => (at === place ? { ...row, ...change } : row))
    );
  const choices = parts.map(part => ({
    value: part.id,
    label: `${part.id}: ${part.sentence}`
  }));
  const apply = () =>
    props.onApply({
      ...recipe,
      name: name.trim(),
      description,
      parameters: Object.fromEntries(
        rows.map(({ name: key, ...value }) => [key, typed(value)])
      ),
      outputs
    });
  return (
    <form
      className="atelier-StepForm"
      aria-label={trans.__('Recipe')}
      onSubmit={event => {
        event.preventDefault();
        if (!wrong) {
          apply();
        }
      }}
    >
      <header className="atelier-Pane-head">
        <h2>{trans.__('Recipe')}</h2>
      </header>
      <InputField label={trans.__('Name')} value={name} onChange={setName} />
      <TextAreaField
        label={trans.__('What it is for')}
        rows={3}
        value={description}
        onChange={setDescription}
      />
      <section className="atelier-SourceForm-section">
        <h3>{trans.__('Parameters')}</h3>
        <p className="atelier-muted">
          {trans.__(
            'Addresses and queries of tables may name them, as in data/${day}.csv.'
          )}
        </p>
        {rows.map((row, place) => (
          <fieldset key={place} className="atelier-RecipeForm-row">
            <legend>{row.name}</legend>
            <InputField
              label={trans.__('Name')}
              value={row.name}
              error={
                /^\w+$/.test(row.name) && names.indexOf(row.name) === place
                  ? undefined
                  : trans.__('Letters, digits and _; each name once.')
              }
              onChange={value => setRow(place, { name: value })}
            />
            <SelectField
              label={trans.__('Type')}
              value={row.type ?? 'string'}
              options={['string', 'number', 'pattern', 'datetime'].map(
                value => ({ value, label: value })
              )}
              onChange={value =>
                setRow(place, { type: value as IParameter['type'] })
              }
            />
            {row.type === 'pattern' && (
              <InputField
                label={trans.__('Pattern')}
                value={row.pattern ?? ''}
                help={trans.__('A regular expression for the whole value.')}
                onChange={value => setRow(place, { pattern: value })}
              />
            )}
            <InputField
              label={trans.__('Value')}
              value={row.default === null ? '' : String(row.default ?? '')}
              placeholder={row.type === 'datetime' ? '-30d' : undefined}
              onChange={value => setRow(place, { default: value })}
            />
            <Button
              label={trans.__('Remove')}
              onClick={() => setRows(rows.filter((_, at) => at !== place))}
            />
          </fieldset>
        ))}
        <Button
          label={trans.__('Add a parameter')}
          onClick={() =>
            setRows([
              ...rows,
              { name: `parameter${rows.length + 1}`, type: 'string' }
            ])
          }
        />
      </section>
      <section className="atelier-SourceForm-section">
        <h3>{trans.__('Results')}</h3>
        <p className="atelier-muted">
          {trans.__('Without any, the last step is the result.')}
        </p>
        {outputs.map((output, place) => (
          <fieldset key={place} className="atelier-RecipeForm-row">
            <legend>{output.role}</legend>
            <InputField
              label={trans.__('Name')}
              value={output.role}
              onChange={role =>
                setOutputs(
                  outputs.map((one, at) =>
                    at === place ? { ...one, role } : one
                  )
                )
              }
            />
            <SelectField
              label={trans.__('Rows of')}
              value={output.node}
              options={choices}
              onChange={node =>
                setOutputs(
                  outputs.map((one, at) =>
                    at === place ? { ...one, node } : one
                  )
                )
              }
            />
            <Button
              label={trans.__('Remove')}
              onClick={() =>
                setOutputs(outputs.filter((_, at) => at !== place))
              }
            />
          </fieldset>
        ))}
        {choices.length > 0 && (
          <Button
            label={trans.__('Add a result')}
            onClick={() =>
              setOutputs([
                ...outputs,
                {
                  node: choices[choices.length - 1].value,
                  role: outputs.length
                    ? `result${outputs.length + 1}`
                    : 'result'
                }
              ])
            }
          />
        )}
      </section>
      <footer className="atelier-StepForm-buttons">
        <Button
          kind="primary"
          label={trans.__('Save')}
          isDisabled={wrong}
          onClick={apply}
        />
        <Button label={trans.__('Close')} onClick={props.onClose} />
      </footer>
    </form>
  );
}

/** A parameter with its value as its type has it; an empty one has none. */
function typed(parameter: IParameter): IParameter {
  const text = String(parameter.default ?? '');
  if (text === '') {
    return { ...parameter, default: null };
  }
  const number = Number(text);
  return {
    ...parameter,
    default:
      parameter.type === 'number' && !Number.isNaN(number) ? number : text
  };
}
