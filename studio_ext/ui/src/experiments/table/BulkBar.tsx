/** What can be done with all the runs that are selected. */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';

import type { ChangeRequest, RunRecord, ViewSettings } from '../../api';
import { Button, ErrorBar, useAction } from '../../components';
import { formatPath, useStudio } from '../../frame';
import { changeRuns } from './calls';
import { toCsv } from './csv';

/** Runs that are compared at once. */
const MAX_COMPARED = 20;
/** Runs in one request. */
const PART = 200;
/** Names and reasons that are told in full. */
const MAX_TOLD = 5;

export function BulkBar(props: {
  runs: RunRecord[];
  shown: ViewSettings['shown'];
  columns: string[];
  note: string;
  onClear(): void;
}): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { runs, shown } = props;
  const action = useAction();
  const [isTagging, setTagging] = React.useState(false);
  const [progress, setProgress] = React.useState('');
  const [failures, setFailures] = React.useState<string[]>([]);

  const change = async (body: Partial<ChangeRequest>) => {
    const failed: string[] = [];
    let changed = 0;
    setFailures([]);
    await action.run(async () => {
      for (let start = 0; start < runs.length; start += PART) {
        const run_ids = runs.slice(start, start + PART).map(run => run.id);
        const reply = await changeRuns(client, { ...body, run_ids });
        changed += reply.changed;
        failed.push(...Object.values(reply.failures));
        setProgress(trans.__('%1 of %2', start + run_ids.length, runs.length));
      }
    });
    setProgress(
      trans._n('%1 run changed.', '%1 runs changed.', changed) +
        (failed.length
          ? ' ' +
            trans._n('%1 could not be:', '%1 could not be:', failed.length)
          : '')
    );
    setFailures(failed);
  };
  const remove = async () => {
    const { button } = await showDialog({
      title: trans._n('Delete %1 run?', 'Delete %1 runs?', runs.length),
      body: trans.__(
        '%1 — they leave every table and search. “Show: Deleted runs” brings them back until `atelier experiments gc` removes them for good.',
        namesOf(runs)
      ),
      buttons: [
        Dialog.cancelButton(),
        Dialog.warnButton({ label: trans.__('Delete') })
      ]
    });
    if (button.accept) {
      await change({ change: 'delete' });
      props.onClear();
    }
  };
  const compare = () =>
    studio.open(formatPath('compare', runs.map(run => run.id).join('~')));
  const isComparable = runs.length >= 2 && runs.length <= MAX_COMPARED;
  const does = (body: Partial<ChangeRequest>) => () => void change(body);
  const isDeleted = shown === 'deleted';
  return (
    <section className="atelier-Bulk" aria-label={trans.__('Selected runs')}>
      <div className="atelier-Buttons">
        <strong role="status">
          {trans._n('%1 run selected', '%1 runs selected', runs.length)}
        </strong>
        {props.note && <span className="atelier-muted">{props.note}</span>}
        <Button
          label={trans.__('Compare')}
          kind="primary"
          isDisabled={!isComparable}
          title={
            isComparable
              ? undefined
              : trans.__('2 to %1 runs are compared at once.', MAX_COMPARED)
          }
          onClick={compare}
        />
        {isDeleted ? (
          <Button
            label={trans.__('Restore')}
            isBusy={action.isBusy}
            onClick={does({ change: 'restore' })}
          />
        ) : (
          <>
            <Button
              label={trans.__('Tag…')}
              isBusy={action.isBusy}
              onClick={() => setTagging(!isTagging)}
            />
            <Button
              label={trans.__('Favourite')}
              isBusy={action.isBusy}
              onClick={does({
                change: runs.every(run => run.tags['atelier.favourite'])
                  ? 'unfavourite'
                  : 'favourite'
              })}
            />
            <Button
              label={
                shown === 'archived'
                  ? trans.__('Unarchive')
                  : trans.__('Archive')
              }
              isBusy={action.isBusy}
              onClick={does({
                change: shown === 'archived' ? 'unarchive' : 'archive'
              })}
            />
            <Button
              label={trans.__('Delete…')}
              kind="danger"
              isBusy={action.isBusy}
              onClick={() => void remove()}
            />
          </>
        )}
        <Button
          label={trans.__('Copy as CSV')}
          onClick={() => void studio.copy(toCsv(runs, props.columns))}
        />
        <Button label={trans.__('Clear selection')} onClick={props.onClear} />
      </div>
      {isTagging && !isDeleted && (
        <TagForm
          isBusy={action.isBusy}
          onSet={(key, value) =>
            void change({ change: 'set_tags', tags: { [key]: value } })
          }
          onDelete={key =>
            void change({ change: 'delete_tags', tag_keys: [key] })
          }
        />
      )}
      {progress && <div role="status">{progress}</div>}
      {failures.length > 0 && (
        <ul className="atelier-Bulk-failures">
          {failures.slice(0, MAX_TOLD).map(text => (
            <li key={text}>{text}</li>
          ))}
          {failures.length > MAX_TOLD && (
            <li>{trans.__('and %1 more', failures.length - MAX_TOLD)}</li>
          )}
        </ul>
      )}
      <ErrorBar error={action.error} dismiss={action.dismiss} />
    </section>
  );
}

function TagForm(props: {
  isBusy: boolean;
  onSet(key: string, value: string): void;
  onDelete(key: string): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const [key, setKey] = React.useState('');
  const [value, setValue] = React.useState('');
  const isDisabled = key.trim() === '';
  return (
    <form
      className="atelier-Buttons"
      aria-label={trans.__('Tag the selected runs')}
      onSubmit={event => {
        event.preventDefault();
        if (!isDisabled) {
          props.onSet(key.trim(), value);
        }
      }}
    >
      <label>
        {trans.__('Key')}{' '}
        <input
          className="atelier-Input"
          maxLength={250}
          value={key}
          onChange={event => setKey(event.target.value)}
        />
      </label>
      <label>
        {trans.__('Value')}{' '}
        <input
          className="atelier-Input"
          maxLength={5000}
          value={value}
          onChange={event => setValue(event.target.value)}
        />
      </label>
      <button
        type="submit"
        className="atelier-Button"
        data-kind="plain"
        disabled={isDisabled || props.isBusy}
      >
        {trans.__('Set tag')}
      </button>
      <Button
        label={trans.__('Remove tag')}
        isDisabled={isDisabled}
        isBusy={props.isBusy}
        onClick={() => props.onDelete(key.trim())}
      />
    </form>
  );
}

/** The names of some runs, the first few in full. */
function namesOf(runs: RunRecord[]): string {
  const names = runs.slice(0, MAX_TOLD).map(run => run.name);
  return names.join(', ') + (runs.length > MAX_TOLD ? ', …' : '');
}
