/** Code to read and copy. */
import * as React from 'react';

import { useStudio } from '../frame/context';

export function CodeBlock(props: {
  code: string;
  label?: string;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  return (
    <div className="atelier-Code">
      <pre tabIndex={0} aria-label={props.label ?? trans.__('Code')}>
        <code>{props.code}</code>
      </pre>
      <button
        type="button"
        className="atelier-Button"
        data-kind="plain"
        onClick={() => void studio.copy(props.code)}
      >
        {trans.__('Copy')}
      </button>
    </div>
  );
}
