/** Find a run by its name and add it to the comparison. */
import { UUID } from '@lumino/coreutils';
import * as React from 'react';

import { ApiError, RunRecord } from '../../api';
import { Time } from '../../components';
import { useStudio } from '../../frame';

const FOUND = 8;
/** Milliseconds without a key before the server is asked. */
const PAUSE = 200;

export function AddRun(props: {
  experiments: string[];
  present: string[];
  onAdd(id: string): void;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { present, onAdd } = props;
  const [id] = React.useState(() => `atelier-${UUID.uuid4()}`);
  const [text, setText] = React.useState('');
  const [isOpen, setOpen] = React.useState(false);
  const [found, setFound] = React.useState<RunRecord[] | null>(null);
  const [problem, setProblem] = React.useState('');
  const box = React.useRef<HTMLDivElement>(null);
  const experiment = props.experiments.length === 1 ? props.experiments[0] : '';

  React.useEffect(() => {
    if (!isOpen) {
      return;
    }
    const controller = new AbortController();
    const timer = window.setTimeout(() => {
      client
        .runs(
          {
            limit: FOUND + present.length,
            experiment: text.trim() ? null : experiment,
            filter: filterOf(text)
          },
          controller.signal
        )
        .then(({ runs }) => {
          setProblem('');
          setFound(runs);
        })
        .catch((failure: unknown) => {
          if (!controller.signal.aborted) {
            setProblem(
              failure instanceof ApiError ? failure.message : String(failure)
            );
          }
        });
    }, PAUSE);
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
  }, [client, text, isOpen, experiment, present.length]);

  const shown = (found ?? [])
    .filter(run => !present.includes(run.id))
    .slice(0, FOUND);
  const close = () => {
    setOpen(false);
    setText('');
  };
  return (
    <div
      ref={box}
      className="atelier-Compare-add"
      onKeyDown={event => {
        if (event.key === 'Escape') {
          close();
        }
      }}
      onBlur={event => {
        if (!box.current?.contains(event.relatedTarget)) {
          close();
        }
      }}
    >
      <input
        type="text"
        aria-label={trans.__('Add a run')}
        aria-expanded={isOpen}
        aria-controls={id}
        role="combobox"
        autoComplete="off"
        spellCheck={false}
        placeholder={trans.__('+ Add a run by name')}
        value={text}
        onFocus={() => setOpen(true)}
        onChange={event => {
          setText(event.target.value);
          setOpen(true);
        }}
        onKeyDown={event => {
          if (event.key === 'ArrowDown') {
            event.preventDefault();
            box.current?.querySelector<HTMLElement>('li button')?.focus();
          } else if (event.key === 'Enter' && shown.length > 0) {
            onAdd(shown[0].id);
            close();
          }
        }}
      />
      <div id={id} className="atelier-Compare-found" hidden={!isOpen}>
        {problem && <p role="alert">{problem}</p>}
        {found !== null && shown.length === 0 && !problem && (
          <p className="atelier-muted">
            {trans.__('No other run has this name.')}
          </p>
        )}
        <ul aria-label={trans.__('Found runs')}>
          {shown.map(run => (
            <li key={run.id}>
              <button
                type="button"
                onClick={() => {
                  onAdd(run.id);
                  close();
                }}
                onKeyDown={event => moveFocus(event)}
              >
                <span className="atelier-ellipsis" title={run.name}>
                  {run.name}
                </span>
                <span className="atelier-muted atelier-ellipsis">
                  {run.experiment} · <Time value={run.started_at} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

/** A search for a part of a name, or for a whole id. */
function filterOf(text: string): string {
  const quoted = text.trim().replace(/'/g, "''");
  if (!quoted) {
    return '';
  }
  return /^[0-9a-f]{32}$/.test(quoted)
    ? `run_id = '${quoted}'`
    : `run_name CONTAINS '${quoted}'`;
}

/** Arrows go from one found run to the next. */
function moveFocus(event: React.KeyboardEvent<HTMLElement>): void {
  const item = event.currentTarget.parentElement;
  const next =
    event.key === 'ArrowDown'
      ? item?.nextElementSibling
      : event.key === 'ArrowUp'
        ? item?.previousElementSibling
        : null;
  if (next) {
    event.preventDefault();
    next.querySelector<HTMLElement>('button')?.focus();
  }
}
