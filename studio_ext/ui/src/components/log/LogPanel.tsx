/** What something prints, as it prints it: searched on the server, downloaded whole, of any length. */
import * as React from 'react';

import { useStudio } from '../../frame';
import { ErrorBar, ErrorState, LoadingState } from '../State';
import { formatBytes } from '../format';
import { LogSearch } from './LogSearch';
import { ILogViewHandle, LogView } from './LogView';
import type { ILogSource } from './source';
import type { ILog } from './useLog';

/** Bytes shown before a line that is jumped to. */
const CONTEXT = 8 * 1024;

export function LogPanel(props: {
  source: ILogSource;
  log: ILog;
  /** Whether more may be printed. */
  isOpen: boolean;
  /** What stands before the search. */
  children?: React.ReactNode;
}): React.ReactElement {
  const { trans } = useStudio();
  const { source, log, isOpen } = props;
  const view = React.useRef<ILogViewHandle>(null);
  const [wanted, setWanted] = React.useState('');
  const [found, setFound] = React.useState<number | null>(null);
  React.useEffect(() => setFound(null), [source.key, wanted]);
  const { window: known, error } = log;

  const goTo = (offset: number) => {
    setFound(offset);
    log.follow(false);
    if (!view.current?.reveal(offset)) {
      view.current?.expect(offset);
      void log.show(Math.max(0, offset - CONTEXT));
    }
  };
  return (
    <div className="atelier-LogPanel">
      <div className="atelier-LogPanel-bar">
        {props.children}
        <LogSearch
          source={source}
          text={wanted}
          onText={setWanted}
          from={() => found ?? view.current?.top() ?? 0}
          isFound={found !== null}
          onFound={goTo}
        />
        <button
          type="button"
          className="atelier-Button"
          aria-pressed={log.isFollowing}
          title={trans.__('Stay at the end while lines come')}
          onClick={() => log.follow(!log.isFollowing)}
        >
          {trans.__('Follow')}
        </button>
        <a
          className="atelier-Button"
          data-kind="plain"
          href={source.url}
          download={source.fileName}
        >
          {trans.__('Download')}
        </a>
      </div>
      {known === null ? (
        error ? (
          <ErrorState
            title={trans.__('The log could not be read')}
            error={error}
            retry={log.retry}
          />
        ) : (
          <LoadingState rows={10} />
        )
      ) : (
        <>
          <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
          {known.size === 0 ? (
            <p className="atelier-muted" role="status">
              {isOpen
                ? trans.__('It has printed nothing yet.')
                : trans.__('It printed nothing.')}
            </p>
          ) : (
            <>
              <LogView ref={view} log={log} wanted={wanted} found={found} />
              <Position log={log} />
            </>
          )}
        </>
      )}
    </div>
  );
}

/** Where in the whole log the window is; it can be moved. */
function Position(props: { log: ILog }): React.ReactElement | null {
  const { trans } = useStudio();
  const { log } = props;
  const known = log.window;
  const [moved, setMoved] = React.useState<number | null>(null);
  React.useEffect(() => {
    if (moved === null) {
      return;
    }
    const timer = window.setTimeout(() => {
      void log.show(moved).then(() => setMoved(null));
    }, 150);
    return () => window.clearTimeout(timer);
  }, [moved]);
  if (!known) {
    return null;
  }
  const { first, size, start, end } = known;
  return (
    <div className="atelier-LogPanel-position">
      {(start > first || end < size) && (
        <input
          type="range"
          aria-label={trans.__('Place in the log')}
          min={first}
          max={size}
          step={1024}
          value={moved ?? (log.isFollowing ? size : start)}
          onChange={event => setMoved(Number(event.target.value))}
        />
      )}
      <span className="atelier-muted">
        {start > first || end < size
          ? trans.__(
              '%1 to %2 of %3',
              formatBytes(start),
              formatBytes(end),
              formatBytes(size)
            )
          : formatBytes(size - first)}
        {first > 0 &&
          ' — ' +
            trans.__('the first %1 are no longer kept', formatBytes(first))}
      </span>
    </div>
  );
}
