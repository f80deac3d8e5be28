/** Everything that runs on this server: what it uses, how to stop it, and what is stopped by itself. */
import * as React from 'react';

import type { Resource, ResourcesReply } from '../api';
import {
  Button,
  EmptyState,
  ErrorBar,
  IAction,
  Loaded,
  PageHeader,
  ask,
  confirmLoss,
  formatBytes,
  useAction
} from '../components';
import { IStudio, useResource, useStudio } from '../frame';
import { PolicyForm } from './PolicyForm';
import { ResourcesTable } from './ResourcesTable';
import { listResources, stopResource } from './calls';
import { idleFor, memoryOf } from './idle';

export interface IResourcesPageProps {
  /** Show a terminal of the server; null where JupyterLab has none. */
  openTerminal: ((name: string) => void) | null;
}

export function ResourcesPage(props: IResourcesPageProps): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const resources = useResource('resources', signal =>
    listResources(client, signal)
  );
  const action = useAction();
  return (
    <div className="atelier-PageBody atelier-Resources">
      <PageHeader
        title={trans.__('Running resources')}
        facts={
          resources.data && resources.data.resources.length > 0 ? (
            <Totals reply={resources.data} />
          ) : undefined
        }
        actions={
          <Button
            kind="danger"
            label={trans.__('Stop all idle…')}
            isDisabled={
              idleFor(resources.data?.resources ?? [], 0, Date.now()).length ===
              0
            }
            isBusy={action.isBusy}
            onClick={() =>
              void stopIdle(studio, resources.data?.resources ?? [], action)
            }
          />
        }
      />
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <Loaded
        resource={resources}
        failure={trans.__('What runs could not be read')}
        rows={6}
      >
        {reply =>
          reply.resources.length === 0 ? (
            <EmptyState
              title={trans.__('Nothing runs')}
              text={trans.__(
                'Kernels, terminals, jobs and endpoints show up here with the memory and the processors that they use.'
              )}
            />
          ) : (
            <ResourcesTable
              resources={reply.resources}
              openTerminal={props.openTerminal}
              isBusy={action.isBusy}
              onStop={resource => void stopOne(studio, resource, action)}
            />
          )
        }
      </Loaded>
      <PolicyForm />
    </div>
  );
}

function Totals(props: { reply: ResourcesReply }): React.ReactElement {
  const { trans } = useStudio();
  const { resources, memory } = props.reply;
  const idle = idleFor(resources, 0, Date.now());
  return (
    <>
      <span>{trans._n('%1 resource', '%1 resources', resources.length)}</span>
      <span>{formatBytes(memory)}</span>
      {idle.length > 0 && (
        <span>
          {trans.__('%1 idle, %2', idle.length, formatBytes(memoryOf(idle)))}
        </span>
      )}
    </>
  );
}

/** Ask, naming what is lost, and stop. */
async function stopOne(
  studio: IStudio,
  resource: Resource,
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const { name } = resource;
  const texts = {
    kernel: {
      title: trans.__('Stop the kernel of %1?', name),
      text: trans.__(
        'All variables in its memory are lost. The notebook and its outputs stay as they are.'
      )
    },
    terminal: {
      title: trans.__('Stop terminal %1?', name),
      text: trans.__('Programs that run in it end, and its text is lost.')
    },
    job: {
      title: trans.__('Stop the job %1?', name),
      text: trans.__(
        'It is asked to end, and killed if it does not. Its log, checkpoints and output stay.'
      )
    },
    endpoint: {
      title: trans.__('Stop and delete the endpoint %1?', name),
      text: trans.__(
        'It no longer answers; its log and configuration are lost. Its model version stays in the registry.'
      )
    }
  };
  const isSure = await confirmLoss({
    ...texts[resource.kind],
    keep: trans.__('Keep it'),
    lose: trans.__('Stop')
  });
  if (isSure) {
    await action.run(() => stopResource(client, resource));
  }
}

/** Ask for how long they must have been idle, name how many and how much that is, and stop them. */
async function stopIdle(
  studio: IStudio,
  resources: readonly Resource[],
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const now = Date.now();
  const spans: [number, string][] = [
    [0, trans.__('Any time')],
    [10, trans.__('10 minutes or more')],
    [60, trans.__('1 hour or more')],
    [24 * 60, trans.__('1 day or more')]
  ];
  const choices = spans
    .map(([minutes, label]) => ({
      value: String(minutes),
      label,
      found: idleFor(resources, minutes, now)
    }))
    .filter(({ found }) => found.length > 0)
    .map(({ value, label, found }) => ({
      value,
      label: trans.__(
        '%1: %2 with %3',
        label,
        found.length,
        formatBytes(memoryOf(found))
      )
    }));
  const answer = await ask({
    title: trans.__('Stop all idle kernels and terminals?'),
    text: trans.__(
      'All variables in the memory of these kernels and all text of these terminals are lost. Notebooks, jobs and endpoints stay.'
    ),
    questions: [
      {
        name: 'minutes',
        kind: 'choice',
        label: trans.__('Idle for'),
        value: choices[choices.length - 1].value,
        choices
      }
    ],
    accept: trans.__('Stop them')
  });
  if (!answer) {
    return;
  }
  const chosen = idleFor(resources, Number(answer.minutes), now);
  await action.run(async () => {
    for (const resource of chosen) {
      await stopResource(client, resource);
    }
  });
}
