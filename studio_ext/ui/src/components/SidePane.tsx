/** The narrow list beside a wide one. */
import * as React from 'react';

export function SidePane(props: {
  label: string;
  children: React.ReactNode;
}): React.ReactElement {
  return (
    <aside className="atelier-SidePane" aria-label={props.label}>
      {props.children}
    </aside>
  );
}
