/** One endpoint: its state and address, a way to try it, and its log. */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';

import type { EndpointDetail, EndpointRecord } from '../api';
import {
  Button,
  EndpointChip,
  ErrorBar,
  IAction,
  LineageGraph,
  LinkChip,
  Loaded,
  PageHeader,
  Tabs,
  Time,
  useAction
} from '../components';
import { IStudio, modelsIcon, useResource, useStudio } from '../frame';
import { AsyncQueue } from './AsyncQueue';
import { Captures } from './Captures';
import { EndpointLog } from './EndpointLog';
import { LogTail } from './LogTail';
import { Monitor } from './Monitor';
import { Operation } from './Operation';
import { TryIt } from './TryIt';
import type { IQuestion } from './request';

export function EndpointPage(props: { name: string }): React.ReactElement {
  const { client, trans } = useStudio();
  const { name } = props;
  const [isDeleted, setDeleted] = React.useState(false);
  const detail = useResource<EndpointDetail | null>(
    `endpoint/${name}/${isDeleted}`,
    async signal => (isDeleted ? null : client.endpoint(name, signal))
  );
  return (
    <div className="atelier-PageBody">
      {isDeleted ? (
        <Deleted name={name} />
      ) : (
        <Loaded
          resource={detail}
          failure={trans.__('The endpoint could not be read')}
          rows={12}
        >
          {data =>
            data ? (
              <EndpointView detail={data} onDeleted={() => setDeleted(true)} />
            ) : (
              <Deleted name={name} />
            )
          }
        </Loaded>
      )}
    </div>
  );
}

function Deleted(props: { name: string }): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  return (
    <div className="atelier-State" data-state="deleted" role="status">
      <h2>{trans.__('The endpoint %1 was deleted', props.name)}</h2>
      <p>{trans.__('Its model version is still in the registry.')}</p>
      <Button
        label={trans.__('All endpoints')}
        onClick={() => studio.open('endpoints')}
      />
    </div>
  );
}

function EndpointView(props: {
  detail: EndpointDetail;
  onDeleted(): void;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { detail } = props;
  const { endpoint, sample, signature, log } = detail;
  const action = useAction();
  const [given, setGiven] = React.useState<{
    times: number;
    question?: IQuestion;
  }>({ times: 0 });
  return (
    <>
      <PageHeader
        title={endpoint.name}
        crumbs={[{ label: trans.__('Endpoints'), path: 'endpoints' }]}
        chip={<EndpointChip state={endpoint.state} />}
        facts={<EndpointFacts endpoint={endpoint} />}
        links={
          <LinkChip
            icon={modelsIcon}
            label={trans.__('%1 version %2', endpoint.model, endpoint.version)}
            path={`model/${endpoint.model}/${endpoint.version}`}
          />
        }
        actions={
          <>
            {endpoint.state === 'Failed' && (
              <Button
                kind="primary"
                label={trans.__('Restart')}
                isBusy={action.isBusy}
                onClick={() =>
                  void action.run(() =>
                    studio.client.restartEndpoint(endpoint.name)
                  )
                }
              />
            )}
            <Button
              kind="danger"
              label={trans.__('Delete')}
              isBusy={action.isBusy}
              onClick={() =>
                void deleteEndpoint(studio, endpoint, action).then(
                  isDone => isDone && props.onDeleted()
                )
              }
            />
          </>
        }
      />
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <Tabs
        key={given.times}
        label={trans.__('Parts of the endpoint')}
        tabs={[
          {
            id: 'use',
            label: trans.__('Use'),
            render: () => (
              <div className="atelier-Overview">
                {endpoint.reason && (
                  <p className="atelier-Reason" role="status">
                    {endpoint.reason}
                  </p>
                )}
                <TryIt
                  key={`${endpoint.model}/${endpoint.version}`}
                  endpoint={endpoint}
                  sample={sample}
                  signature={signature}
                  access={{ auth: detail.auth, isTls: detail.is_tls }}
                  given={given.question}
                />
                {endpoint.state === 'Failed' && <LogTail log={log} />}
              </div>
            )
          },
          {
            id: 'monitor',
            label: trans.__('Monitor'),
            render: () => <Monitor name={endpoint.name} />
          },
          {
            id: 'operation',
            label: trans.__('Operation'),
            render: () => <Operation name={endpoint.name} />
          },
          {
            id: 'async',
            label: trans.__('Async queue'),
            render: () => <AsyncQueue name={endpoint.name} />
          },
          {
            id: 'captures',
            label: trans.__('Captures'),
            render: () => (
              <Captures
                name={endpoint.name}
                isArray={Boolean(signature?.tensor)}
                onUse={question =>
                  setGiven({ times: given.times + 1, question })
                }
              />
            )
          },
          {
            id: 'log',
            label: trans.__('Log'),
            render: () => <EndpointLog endpoint={endpoint} />
          },
          {
            id: 'lineage',
            label: trans.__('Lineage'),
            render: () => <LineageGraph node={`endpoint/${endpoint.name}`} />
          }
        ]}
      />
    </>
  );
}

function EndpointFacts(props: {
  endpoint: EndpointRecord;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { endpoint } = props;
  const { url } = endpoint;
  return (
    <>
      <span>{endpoint.created_by}</span>
      <Time value={endpoint.created_at} />
      {endpoint.pid !== null && (
        <span>{trans.__('process %1', endpoint.pid)}</span>
      )}
      {url && (
        <span className="atelier-Address">
          <code>{url}</code>
          <button
            type="button"
            className="atelier-TextButton"
            aria-label={trans.__('Copy the address')}
            onClick={() => void studio.copy(url)}
          >
            {trans.__('Copy')}
          </button>
        </span>
      )}
    </>
  );
}

/** Ask, naming what is lost, and delete; true if it is gone. */
async function deleteEndpoint(
  studio: IStudio,
  endpoint: EndpointRecord,
  action: IAction
): Promise<boolean> {
  const { client, trans } = studio;
  const answer = await showDialog({
    title: trans.__('Delete the endpoint %1?', endpoint.name),
    body: trans.__(
      'Its process stops, and %1 no longer answers; its log and configuration are lost. The model %2 version %3 stays in the registry.',
      endpoint.url ?? trans.__('its address'),
      endpoint.model,
      endpoint.version
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Keep it') }),
      Dialog.warnButton({ label: trans.__('Delete') })
    ],
    defaultButton: 0
  });
  return (
    answer.button.accept &&
    (await action.run(() => client.deleteEndpoint(endpoint.name)))
  );
}
