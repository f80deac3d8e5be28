/** Which attempt of a job is shown; nothing to choose if there is only one. */
import * as React from 'react';

import { SelectField } from '../components';
import { useStudio } from '../frame';

/** Attempts that can be chosen, the newest. */
const SHOWN = 200;

export function AttemptField(props: {
  attempts: number;
  /** Null for the newest, whichever that is. */
  value: number | null;
  onChange(attempt: number | null): void;
}): React.ReactElement | null {
  const { trans } = useStudio();
  const { attempts } = props;
  if (attempts < 2) {
    return null;
  }
  const numbers = Array.from(
    { length: Math.min(attempts, SHOWN) },
    (_, index) => attempts - index
  );
  return (
    <div className="atelier-AttemptField">
      <SelectField
        label={trans.__('Attempt')}
        value={String(props.value ?? '')}
        options={[
          { value: '', label: trans.__('Newest (%1)', attempts) },
          ...numbers
            .slice(1)
            .map(number => ({ value: String(number), label: String(number) }))
        ]}
        onChange={text => props.onChange(text ? Number(text) : null)}
      />
    </div>
  );
}
