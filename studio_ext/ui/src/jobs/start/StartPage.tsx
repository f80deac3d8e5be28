/** “Run as job”: what a notebook or script gets, where it runs, and when. */
import { Notification } from '@jupyterlab/apputils';
import * as React from 'react';

import type { SubmissionForm, SubmissionReply } from '../../api';
import {
  Button,
  CodeBlock,
  ErrorBar,
  Loaded,
  PageHeader,
  useAction
} from '../../components';
import {
  IStudio,
  formatPath,
  usePageTitle,
  useResource,
  useStudio
} from '../../frame';
import { PairFields } from './PairFields';
import { ParameterFields } from './ParameterFields';
import { ResourceFields } from './ResourceFields';
import { ScheduleFields } from './ScheduleFields';
import { getForm, submit } from './calls';
import { asPython } from './code';
import { IStartDraft, newDraft, problemsOf, requestOf } from './draft';
import { IFields, textOfProblem } from './fields';

export interface IStartPageProps {
  path: string;
  /** Write what was changed in JupyterLab to the file. */
  save(path: string): Promise<void>;
}

export function StartPage(props: IStartPageProps): React.ReactElement {
  const { client, trans } = useStudio();
  const { path } = props;
  usePageTitle(trans.__('Run %1', fileOf(path)));
  // Read once: what is typed refers to it.
  const form = useResource<SubmissionForm>(
    `run-as-job/${path}`,
    async (signal, known) => known ?? getForm(client, path, signal)
  );
  return (
    <div className="atelier-PageBody">
      <PageHeader
        title={trans.__('Run %1 as a job', fileOf(path))}
        crumbs={[{ label: trans.__('Jobs'), path: 'jobs' }]}
        facts={<PathFact path={path} />}
      />
      <Loaded
        resource={form}
        failure={trans.__('This file cannot be run as a job')}
        rows={10}
      >
        {data => <StartForm key={path} form={data} save={props.save} />}
      </Loaded>
    </div>
  );
}

function PathFact(props: { path: string }): React.ReactElement {
  const studio = useStudio();
  return (
    <button
      type="button"
      className="atelier-TextButton atelier-ellipsis"
      title={props.path}
      onClick={() => void studio.openFile(props.path)}
    >
      {props.path}
    </button>
  );
}

function StartForm(props: {
  form: SubmissionForm;
  save(path: string): Promise<void>;
}): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { form } = props;
  const [draft, setDraft] = React.useState(() => newDraft(form));
  const [isTried, setTried] = React.useState(false);
  const [showsCode, setShowsCode] = React.useState(false);
  const [made, setMade] = React.useState<SubmissionReply | null>(null);
  const action = useAction();
  const body = React.useRef<HTMLFormElement>(null);
  const problems = problemsOf(draft, form.parameters);
  const isScheduled = draft.when !== 'now';

  const errorOf = (field: string): string | undefined => {
    const problem = problems[field];
    // What is only missing is no fault before somebody has tried.
    if (problem && (isTried || problem !== 'missing')) {
      return textOfProblem(problem, trans);
    }
    return action.error?.field === field ? action.error.message : undefined;
  };
  const fields: IFields = {
    draft,
    form,
    errorOf,
    change: (part: Partial<IStartDraft>) => {
      setMade(null);
      action.dismiss();
      setDraft({ ...draft, ...part });
    }
  };
  const send = async () => {
    setTried(true);
    if (Object.keys(problems).length > 0) {
      focusFault(body.current);
      return;
    }
    const isDone = await action.run(async () => {
      await props.save(form.path);
      const reply = await submit(client, requestOf(draft, form));
      setMade(reply);
      announce(studio, reply);
    });
    if (!isDone) {
      focusFault(body.current);
    }
  };
  return (
    <form
      ref={body}
      className="atelier-Start"
      noValidate
      aria-label={trans.__('Run as job')}
      onSubmit={event => {
        event.preventDefault();
        if (!action.isBusy) {
          void send();
        }
      }}
    >
      <ParameterFields {...fields} />
      <PairFields
        {...fields}
        part="inputs"
        title={trans.__('Inputs')}
        help={trans.__(
          'Files and folders below the folder of JupyterLab, or addresses such as s3://bucket/key. The job finds each by SM_CHANNEL_<NAME>.'
        )}
        labels={[trans.__('Channel'), trans.__('File, folder or address')]}
        add={trans.__('Add an input')}
        remove={trans.__('Remove the input')}
      />
      <ResourceFields {...fields} />
      <ScheduleFields {...fields} />
      <ErrorBar error={unplaced(action.error, body.current)} />
      <div className="atelier-Buttons">
        <button
          type="submit"
          className="atelier-Button"
          data-kind="primary"
          disabled={action.isBusy}
        >
          {isScheduled ? trans.__('Make the schedule') : trans.__('Run')}
        </button>
        <Button
          label={
            showsCode ? trans.__('Hide the code') : trans.__('Show as code')
          }
          onClick={() => setShowsCode(!showsCode)}
        />
        <span role="status">{made && <Made reply={made} />}</span>
      </div>
      {showsCode && (
        <CodeBlock
          label={trans.__('The same in Python')}
          code={asPython(requestOf(draft, form))}
        />
      )}
    </form>
  );
}

function Made(props: { reply: SubmissionReply }): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { path, label } = linkOf(studio, props.reply);
  return (
    <>
      {trans.__('Done.')}{' '}
      <button
        type="button"
        className="atelier-TextButton"
        onClick={() => studio.open(path)}
      >
        {label}
      </button>
    </>
  );
}

/** Tell it wherever in JupyterLab somebody is, with a way to it. */
function announce(studio: IStudio, reply: SubmissionReply): void {
  const { trans } = studio;
  const { path, label } = linkOf(studio, reply);
  const text = reply.job
    ? trans.__('The job %1 was submitted.', reply.job.name)
    : trans.__('The schedule %1 was made.', reply.schedule?.name ?? '');
  Notification.success(text, {
    autoClose: 8000,
    actions: [{ label, callback: () => studio.open(path) }]
  });
}

function linkOf(
  { trans }: IStudio,
  reply: SubmissionReply
): { path: string; label: string } {
  return reply.job
    ? {
        path: formatPath('job', reply.job.name),
        label: trans.__('Open job')
      }
    : { path: 'schedules', label: trans.__('Open schedules') };
}

/** The error that no field shows. */
function unplaced<T extends { field: string | null }>(
  error: T | null,
  body: HTMLElement | null
): T | null {
  const isShown =
    error?.field && body?.querySelector(`[data-fields~="${error.field}"]`);
  return isShown ? null : error;
}

/** Bring the first field with a fault into sight, also where it is folded away. */
function focusFault(body: HTMLElement | null): void {
  window.requestAnimationFrame(() => {
    const fault = body?.querySelector<HTMLElement>('[aria-invalid="true"]');
    fault?.closest('details')?.setAttribute('open', '');
    fault?.focus();
  });
}

function fileOf(path: string): string {
  return path.split('/').pop() ?? path;
}
