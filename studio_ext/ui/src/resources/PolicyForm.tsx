/** The idle policy: what is stopped by itself when nobody uses it. */
import * as React from 'react';

import type { PolicyReply } from '../api';
import {
  Button,
  CheckField,
  ErrorBar,
  InputField,
  Loaded,
  useAction
} from '../components';
import { useResource, useStudio } from '../frame';
import { getPolicy, setPolicy } from './calls';
import {
  IPolicyDraft,
  PolicyField,
  draftOf,
  policyOf,
  problemsOf
} from './policy';

export function PolicyForm(): React.ReactElement {
  const { client, trans } = useStudio();
  const policy = useResource('idle-policy', signal =>
    getPolicy(client, signal)
  );
  return (
    <section className="atelier-Policy" aria-label={trans.__('Idle policy')}>
      <h2>{trans.__('Idle policy')}</h2>
      <p className="atelier-muted">
        {trans.__(
          'What is stopped by itself when nobody uses it. It holds for all servers of this workspace, and leaves jobs and endpoints alone. An empty field means never.'
        )}
      </p>
      <Loaded
        resource={policy}
        failure={trans.__('The idle policy could not be read')}
        rows={3}
      >
        {reply => <Fields reply={reply} />}
      </Loaded>
    </section>
  );
}

function Fields(props: { reply: PolicyReply }): React.ReactElement {
  const { client, trans } = useStudio();
  const { policy, has_terminals } = props.reply;
  const kept = draftOf(policy);
  const [changes, setChanges] = React.useState<Partial<IPolicyDraft>>({});
  const [isSaved, setSaved] = React.useState(false);
  const action = useAction();
  const draft = { ...kept, ...changes };
  const problems = problemsOf(draft);
  const hasProblem = Object.keys(problems).length > 0;
  const isChanged = (Object.keys(changes) as (keyof IPolicyDraft)[]).some(
    name => changes[name] !== kept[name]
  );
  const change = (part: Partial<IPolicyDraft>) => {
    setSaved(false);
    setChanges({ ...changes, ...part });
  };
  const texts = {
    number: trans.__('Minutes, such as 30, or nothing for never.'),
    whole: trans.__('A whole number is needed.'),
    large: trans.__('That is longer than allowed.'),
    small: trans.__('At least 1.')
  };
  const errorOf = (field: PolicyField) => {
    const problem = problems[field];
    return problem && texts[problem];
  };
  const save = async () => {
    const isDone = await action.run(() => setPolicy(client, policyOf(draft)));
    if (isDone) {
      setChanges({});
      setSaved(true);
    }
  };
  return (
    <form
      noValidate
      onSubmit={event => {
        event.preventDefault();
        if (isChanged && !hasProblem) {
          void save();
        }
      }}
    >
      <div className="atelier-Form">
        <InputField
          label={trans.__('Stop quiet kernels after (minutes)')}
          value={draft.quiet}
          onChange={quiet => change({ quiet })}
          placeholder={trans.__('never')}
          error={errorOf('quiet')}
          help={trans.__(
            'No processor time, no I/O and nothing executed for that long. Never stops a kernel that executes.'
          )}
        />
        <InputField
          label={trans.__('Stop kernels without messages after (minutes)')}
          value={draft.kernels}
          onChange={kernels => change({ kernels })}
          placeholder={trans.__('never')}
          error={errorOf('kernels')}
          help={trans.__(
            'Jupyter’s own rule, whatever the kernel computes in threads.'
          )}
        />
        {has_terminals && (
          <InputField
            label={trans.__('Stop terminals without output after (minutes)')}
            value={draft.terminals}
            onChange={terminals => change({ terminals })}
            placeholder={trans.__('never')}
            error={errorOf('terminals')}
            help={trans.__('Programs that run in them end.')}
          />
        )}
        <InputField
          label={trans.__('Jupyter’s rules look every (seconds)')}
          value={draft.interval}
          onChange={interval => change({ interval })}
          error={errorOf('interval')}
          help={trans.__('The rule for quiet kernels looks every 30 seconds.')}
        />
      </div>
      <CheckField
        label={trans.__('Also stop kernels that are open in a browser')}
        isChecked={draft.connected}
        onChange={connected => change({ connected })}
      />
      <CheckField
        label={trans.__('Jupyter’s rule also stops kernels that execute')}
        isChecked={draft.busy}
        onChange={busy => change({ busy })}
        help={trans.__('Long computations without output are then lost.')}
      />
      <div className="atelier-Buttons">
        <button
          type="submit"
          className="atelier-Button"
          data-kind="primary"
          disabled={!isChanged || hasProblem || action.isBusy}
        >
          {trans.__('Save the policy')}
        </button>
        {isChanged && (
          <Button
            label={trans.__('Undo changes')}
            onClick={() => setChanges({})}
          />
        )}
        <span role="status" className="atelier-muted">
          {isSaved && !isChanged
            ? trans.__('Saved. It holds from now on.')
            : ''}
        </span>
      </div>
      <ErrorBar error={action.error} dismiss={action.dismiss} />
    </form>
  );
}
