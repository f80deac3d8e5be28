/** The last lines that an endpoint wrote. */
import * as React from 'react';

import { useStudio } from '../frame';

export function LogTail(props: { log: string }): React.ReactElement {
  const { trans } = useStudio();
  const { log } = props;
  const view = React.useRef<HTMLPreElement>(null);
  const isAtEnd = React.useRef(true);
  React.useLayoutEffect(() => {
    const node = view.current;
    if (node && isAtEnd.current) {
      node.scrollTop = node.scrollHeight;
    }
  }, [log]);
  return (
    <section>
      <h2>{trans.__('Log')}</h2>
      {log.trim() ? (
        <pre
          ref={view}
          tabIndex={0}
          className="atelier-Log"
          aria-label={trans.__('The last lines of the log')}
          onScroll={event => {
            const { scrollTop, scrollHeight, clientHeight } =
              event.currentTarget;
            isAtEnd.current = scrollTop + clientHeight >= scrollHeight - 4;
          }}
        >
          {log}
        </pre>
      ) : (
        <p className="atelier-muted">{trans.__('It has written nothing.')}</p>
      )}
    </section>
  );
}
