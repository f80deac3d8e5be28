/** What is selected in a list, told beside it, so that one need not open it. */
import * as React from 'react';

import { useStudio } from '../frame/context';

export function Drawer(props: {
  label: string;
  title: string;
  onClose(): void;
  children: React.ReactNode;
}): React.ReactElement {
  const { trans } = useStudio();
  return (
    <aside className="atelier-Drawer" aria-label={props.label}>
      <div className="atelier-Header-line">
        <h2 className="atelier-ellipsis" title={props.title}>
          {props.title}
        </h2>
        <button
          type="button"
          className="atelier-IconButton"
          aria-label={trans.__('Close details')}
          onClick={props.onClose}
        >
          ×
        </button>
      </div>
      {props.children}
    </aside>
  );
}
