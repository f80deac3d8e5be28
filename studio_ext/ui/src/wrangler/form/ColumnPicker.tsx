/** Choosing columns of the kinds that a step can work on. */
import { UUID } from '@lumino/coreutils';
import * as React from 'react';

import type * as api from '../../api/types';
import { useStudio } from '../../frame/context';

export interface IColumnPickerProps {
  label: string;
  help?: string;
  error?: string;
  columns: api.ColumnDetail[];
  kinds: string[];
  value: string[];
  onChange(value: string[]): void;
}

/** Columns beyond which the list is not drawn as a whole. */
const SHOWN = 200;

/** Many columns: a list of check boxes with a search. */
export function ColumnsField(props: IColumnPickerProps): React.ReactElement {
  const { trans } = useStudio();
  const [id] = React.useState(() => `atelier-${UUID.uuid4()}`);
  const [search, setSearch] = React.useState('');
  const fits = (column: api.ColumnDetail) =>
    props.kinds.length === 0 || props.kinds.includes(column.kind);
  const possible = props.columns.filter(fits);
  const gone = props.value.filter(
    name => !props.columns.some(column => column.name === name)
  );
  const found = possible.filter(column =>
    column.name.toLowerCase().includes(search.toLowerCase())
  );
  const toggle = (name: string) =>
    props.onChange(
      props.value.includes(name)
        ? props.value.filter(one => one !== name)
        : [...props.value, name]
    );
  return (
    <fieldset
      className="atelier-Field atelier-ColumnPicker"
      aria-describedby={`${id}-note`}
    >
      <legend>
        {props.label}{' '}
        <span className="atelier-muted">
          {trans.__('%1 of %2', props.value.length, possible.length)}
        </span>
      </legend>
      <div className="atelier-ColumnPicker-bar">
        <input
          type="search"
          aria-label={trans.__('Search columns')}
          placeholder={trans.__('Search columns')}
          value={search}
          onChange={event => setSearch(event.target.value)}
        />
        <button
          type="button"
          className="atelier-TextButton"
          onClick={() => props.onChange(found.map(column => column.name))}
        >
          {trans.__('All')}
        </button>
        <button
          type="button"
          className="atelier-TextButton"
          onClick={() => props.onChange([])}
        >
          {trans.__('None')}
        </button>
      </div>
      <ul className="atelier-ColumnPicker-list">
        {gone.map(name => (
          <li key={`gone-${name}`}>
            <label className="atelier-CheckField" data-state="gone">
              <input type="checkbox" checked onChange={() => toggle(name)} />
              <span>{trans.__('%1 (not in the table)', name)}</span>
            </label>
          </li>
        ))}
        {found.slice(0, SHOWN).map(column => (
          <li key={column.name}>
            <label className="atelier-CheckField">
              <input
                type="checkbox"
                checked={props.value.includes(column.name)}
                onChange={() => toggle(column.name)}
              />
              <span className="atelier-ellipsis" title={column.name}>
                {column.name}
              </span>
              <span className="atelier-muted">{column.kind}</span>
            </label>
          </li>
        ))}
      </ul>
      {found.length > SHOWN && (
        <div className="atelier-muted">
          {trans.__('%1 more: search for them.', found.length - SHOWN)}
        </div>
      )}
      {possible.length === 0 && (
        <div className="atelier-muted">
          {trans.__(
            'The table has no column of the kind that this step needs (%1).',
            props.kinds.join(', ')
          )}
        </div>
      )}
      <div
        id={`${id}-note`}
        className={props.error ? 'atelier-Field-error' : 'atelier-muted'}
        role={props.error ? 'alert' : undefined}
      >
        {props.error ?? props.help}
      </div>
    </fieldset>
  );
}
