/** Which columns the table has, and in which order. */
import * as React from 'react';

import type { RunField, RunFields, ViewSettings } from '../../api';
import { Button } from '../../components';
import { useStudio } from '../../frame';
import { ATTRIBUTE_COLUMNS, columnLabel } from '../columns';

type Columns = NonNullable<ViewSettings['columns']>;

/** Keys shown of each kind; the search finds the others. */
const MAX_SHOWN = 100;

interface IOffer {
  id: string;
  label: string;
  count: number | null;
}

export function ColumnChooser(props: {
  columns: Columns;
  fields: RunFields | null;
  isUsual: boolean;
  onChange(columns: Columns | null): void;
  onClose(): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { columns, fields, onChange } = props;
  const [search, setSearch] = React.useState('');
  const box = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => box.current?.focus(), []);
  const chosen = new Set(columns.map(({ id }) => id));
  const fits = (text: string) =>
    text.toLowerCase().includes(search.trim().toLowerCase());
  const offer = (entity: string, keys: RunField[]): IOffer[] =>
    keys.map(field => ({
      id: `${entity}.${field.key}`,
      label: field.key,
      count: field.run_count
    }));
  const tags = fields?.tags ?? [];
  const sections: { title: string; offers: IOffer[] }[] = [
    {
      title: trans.__('Run'),
      offers: ATTRIBUTE_COLUMNS.slice(1).map(id => ({
        id,
        label: columnLabel(id, trans),
        count: null
      }))
    },
    {
      title: trans.__('Metrics'),
      offers: offer('metrics', fields?.metrics ?? [])
    },
    {
      title: trans.__('Parameters'),
      offers: offer('params', fields?.params ?? [])
    },
    {
      title: trans.__('Tags'),
      offers: offer(
        'tags',
        tags.filter(tag => !tag.is_system)
      )
    },
    {
      title: trans.__('Tags set by programs'),
      offers: offer(
        'tags',
        tags.filter(tag => tag.is_system)
      )
    }
  ];
  const move = (index: number, step: number) => {
    const next = [...columns];
    const [moved] = next.splice(index, 1);
    next.splice(index + step, 0, moved);
    onChange(next);
  };
  const remove = (id: string) => onChange(columns.filter(c => c.id !== id));

  return (
    <aside
      className="atelier-Drawer"
      aria-label={trans.__('Columns')}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          props.onClose();
        }
      }}
    >
      <div className="atelier-Header-line">
        <h2>{trans.__('Columns')}</h2>
        <button
          type="button"
          className="atelier-IconButton"
          aria-label={trans.__('Close columns')}
          onClick={props.onClose}
        >
          ×
        </button>
      </div>
      <input
        ref={box}
        type="search"
        className="atelier-Input"
        aria-label={trans.__('Search columns')}
        placeholder={trans.__('Search')}
        value={search}
        onChange={event => setSearch(event.target.value)}
      />
      <section className="atelier-Chooser" aria-label={trans.__('Shown')}>
        <h3>{trans.__('Shown')}</h3>
        <ol>
          {columns.map(({ id }, index) => {
            const label = columnLabel(id, trans);
            if (index === 0 || !fits(label)) {
              return null;
            }
            return (
              <li key={id}>
                <label className="atelier-ellipsis" title={id}>
                  <input type="checkbox" checked onChange={() => remove(id)} />
                  {label}
                </label>
                <button
                  type="button"
                  className="atelier-IconButton"
                  disabled={index <= 1}
                  aria-label={trans.__('Move %1 up', label)}
                  onClick={() => move(index, -1)}
                >
                  ↑
                </button>
                <button
                  type="button"
                  className="atelier-IconButton"
                  disabled={index === columns.length - 1}
                  aria-label={trans.__('Move %1 down', label)}
                  onClick={() => move(index, 1)}
                >
                  ↓
                </button>
              </li>
            );
          })}
        </ol>
        <Button
          label={trans.__('Reset columns')}
          isDisabled={props.isUsual}
          onClick={() => onChange(null)}
        />
      </section>
      {sections.map(({ title, offers }) => {
        const found = offers.filter(
          ({ id, label }) => !chosen.has(id) && fits(label)
        );
        return found.length === 0 ? null : (
          <section key={title} className="atelier-Chooser" aria-label={title}>
            <h3>{title}</h3>
            <ul>
              {found.slice(0, MAX_SHOWN).map(({ id, label, count }) => (
                <li key={id}>
                  <label className="atelier-ellipsis" title={id}>
                    <input
                      type="checkbox"
                      checked={false}
                      onChange={() =>
                        onChange([...columns, { id, width: null }])
                      }
                    />
                    {label}
                  </label>
                  {count !== null && (
                    <span
                      className="atelier-Count"
                      title={trans._n(
                        '%1 run has it',
                        '%1 runs have it',
                        count
                      )}
                    >
                      {count}
                    </span>
                  )}
                </li>
              ))}
            </ul>
            {found.length > MAX_SHOWN && (
              <p className="atelier-muted">
                {trans.__(
                  '%1 more: search for them.',
                  found.length - MAX_SHOWN
                )}
              </p>
            )}
          </section>
        );
      })}
    </aside>
  );
}
