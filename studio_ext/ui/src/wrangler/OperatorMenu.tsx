/** Choosing what the next step does: all operators by family, with a search. */
import * as React from 'react';

import type * as api from '../api/types';
import { useStudio } from '../frame/context';

export interface IOperatorMenuProps {
  operators: api.OperatorDetail[];
  onChoose(operator: api.OperatorDetail): void;
  onCancel(): void;
}

export function OperatorMenu(props: IOperatorMenuProps): React.ReactElement {
  const { trans } = useStudio();
  const [search, setSearch] = React.useState('');
  const input = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => input.current?.focus(), []);
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = props.operators.filter(operator => {
    const text =
      `${operator.title} ${operator.op} ${operator.family} ${operator.description}`.toLowerCase();
    return words.every(word => text.includes(word));
  });
  const families = [...new Set(found.map(operator => operator.family))];
  return (
    <section
      className="atelier-OperatorMenu"
      aria-label={trans.__('Choose a step')}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          props.onCancel();
        }
      }}
    >
      <header className="atelier-Pane-head">
        <h2>{trans.__('Add a step')}</h2>
        <button
          type="button"
          className="atelier-TextButton"
          onClick={props.onCancel}
        >
          {trans.__('Cancel')}
        </button>
      </header>
      <input
        ref={input}
        type="search"
        className="jp-mod-styled"
        aria-label={trans.__('Search steps')}
        placeholder={trans.__('Search steps')}
        value={search}
        onChange={event => setSearch(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Enter' && found.length > 0) {
            props.onChoose(found[0]);
          }
        }}
      />
      <div className="atelier-OperatorMenu-list">
        {families.map(family => (
          <section key={family}>
            <h3>{family.charAt(0).toUpperCase() + family.slice(1)}</h3>
            <ul>
              {found
                .filter(operator => operator.family === family)
                .map(operator => (
                  <li key={operator.op}>
                    <button
                      type="button"
                      onClick={() => props.onChoose(operator)}
                    >
                      <span>{operator.title}</span>
                      <span className="atelier-muted">
                        {firstSentence(operator.description)}
                      </span>
                    </button>
                  </li>
                ))}
            </ul>
          </section>
        ))}
        {found.length === 0 && (
          <p className="atelier-muted">
            {trans.__('No step is called like that.')}
          </p>
        )}
      </div>
    </section>
  );
}

/** The first sentence of a description, without the line breaks of its source. */
export function firstSentence(text: string): string {
  const line = text.split('\n\n')[0].replace(/\s+/g, ' ').trim();
  const end = line.search(/[.:](\s|$)/);
  return end > 0 ? line.slice(0, end + 1) : line;
}
