/** Names and values that may be thousands: a box to search them, and the first of them. */
import * as React from 'react';

import { useStudio } from '../frame/context';
import { FactTable, sortedKeys, textFacts } from './Facts';
import { InputField } from './Form';

const SEARCHED_FROM = 16;
const SHOWN = 200;

export function FilteredFacts(props: {
  caption: string;
  values: { [key: string]: string };
  empty: string;
}): React.ReactElement {
  const { trans } = useStudio();
  const [wanted, setWanted] = React.useState('');
  const keys = sortedKeys(props.values);
  const text = wanted.trim().toLowerCase();
  const found = keys.filter(
    key =>
      key.toLowerCase().includes(text) ||
      props.values[key].toLowerCase().includes(text)
  );
  const shown = Object.fromEntries(
    found.slice(0, SHOWN).map(key => [key, props.values[key]])
  );
  return (
    <div className="atelier-Filtered">
      <FactTable
        caption={props.caption}
        facts={textFacts(shown)}
        empty={keys.length > 0 ? trans.__('Nothing matches.') : props.empty}
      />
      {found.length > SHOWN && (
        <p className="atelier-muted">
          {trans.__('And %1 more; search to find them.', found.length - SHOWN)}
        </p>
      )}
      {keys.length > SEARCHED_FROM && (
        <InputField
          label={trans.__('Search %1', props.caption.toLowerCase())}
          value={wanted}
          onChange={setWanted}
        />
      )}
    </div>
  );
}
