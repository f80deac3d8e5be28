/** Tags that can be added, changed and taken away; those that programs set are folded and stay as they are. */
import * as React from 'react';

import { useStudio } from '../frame/context';
import { ask } from './ask';
import { useAction } from './Button';
import { FactTable, sortedKeys, textFacts } from './Facts';
import { ErrorBar } from './State';

type Tags = { [key: string]: string };

const SYSTEM = /^(mlflow|atelier)\./;
const SHOWN = 200;

export function TagEditor(props: {
  tags: Tags;
  isReadOnly?: boolean;
  /** Keep changed tags; one that is null is deleted. */
  onChange(tags: { [key: string]: string | null }): Promise<unknown>;
}): React.ReactElement {
  const { trans } = useStudio();
  const action = useAction();
  const { tags } = props;
  const keys = sortedKeys(tags);
  const own = keys.filter(key => !SYSTEM.test(key));
  const system = keys.filter(key => SYSTEM.test(key));
  const edit = async (key: string) => {
    const answer = await ask({
      title: key ? trans.__('Change the tag %1', key) : trans.__('Add a tag'),
      questions: [
        ...(key
          ? []
          : [{ name: 'key', label: trans.__('Name'), isRequired: true }]),
        { name: 'value', label: trans.__('Value'), value: tags[key] ?? '' }
      ],
      accept: trans.__('Save')
    });
    if (answer) {
      const name = key || answer.key.trim();
      await action.run(() => props.onChange({ [name]: answer.value }));
    }
  };
  return (
    <section className="atelier-FactTable">
      <div className="atelier-Header-line">
        <h2>{trans.__('Tags')}</h2>
        {!props.isReadOnly && (
          <button
            type="button"
            className="atelier-TextButton"
            aria-label={trans.__('Add a tag')}
            onClick={() => void edit('')}
          >
            {trans.__('Add')}
          </button>
        )}
      </div>
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      {own.length === 0 ? (
        <p className="atelier-muted">{trans.__('No tags.')}</p>
      ) : (
        <table aria-label={trans.__('Tags')}>
          <tbody>
            {own.slice(0, SHOWN).map(key => (
              <tr key={key}>
                <th scope="row" title={key}>
                  {key}
                </th>
                <td title={tags[key]}>{tags[key]}</td>
                {!props.isReadOnly && (
                  <td className="atelier-RowActions">
                    <button
                      type="button"
                      className="atelier-TextButton"
                      aria-label={trans.__('Change the tag %1', key)}
                      onClick={() => void edit(key)}
                    >
                      {trans.__('Edit')}
                    </button>{' '}
                    <button
                      type="button"
                      className="atelier-TextButton"
                      aria-label={trans.__('Remove the tag %1', key)}
                      disabled={action.isBusy}
                      onClick={() =>
                        void action.run(() => props.onChange({ [key]: null }))
                      }
                    >
                      {trans.__('Remove')}
                    </button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {own.length > SHOWN && (
        <p className="atelier-muted">
          {trans.__('And %1 more.', own.length - SHOWN)}
        </p>
      )}
      {system.length > 0 && (
        <details>
          <summary>{trans.__('Set by programs (%1)', system.length)}</summary>
          <FactTable
            caption={trans.__('Tags set by programs')}
            facts={textFacts(
              Object.fromEntries(
                system.slice(0, SHOWN).map(key => [key, tags[key]])
              )
            )}
            empty=""
          />
        </details>
      )}
    </section>
  );
}
