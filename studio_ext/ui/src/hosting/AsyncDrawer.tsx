/** One asynchronous request: where its input and output are, what happened, another try. */
import * as React from 'react';

import type { AsyncRecord } from '../api';
import { Button, Drawer, FactTable, IAction, Time } from '../components';
import { useStudio } from '../frame';
import { AsyncChip, ENDED } from './AsyncQueue';
import { cancelAsyncRequest, retryAsyncRequest } from './calls';

export function AsyncDrawer(props: {
  endpoint: string;
  request: AsyncRecord;
  action: IAction;
  onChange(): void;
  onClose(): void;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { endpoint, request, action } = props;
  const { id, state } = request;
  const run = (work: () => Promise<unknown>) =>
    void action.run(work).then(props.onChange);
  const isOpen = state === 'Queued' || state === 'InProgress';
  const when = (name: string, time: number | null) =>
    time === null ? [] : [{ name, value: <Time value={time} /> }];
  const where = (name: string, location: string) =>
    location ? [{ name, value: location, title: location }] : [];
  return (
    <Drawer
      label={trans.__('The asynchronous request')}
      title={id}
      onClose={props.onClose}
    >
      <div className="atelier-Facts">
        <AsyncChip state={state} />
        <span>{request.created_by}</span>
      </div>
      {request.message && (
        <p className="atelier-Reason" role="status">
          {request.message}
        </p>
      )}
      <div className="atelier-Buttons">
        {ENDED.includes(state) && (
          <Button
            label={trans.__('Try again')}
            isBusy={action.isBusy}
            onClick={() => run(() => retryAsyncRequest(client, endpoint, id))}
          />
        )}
        {isOpen && (
          <Button
            kind="danger"
            label={trans.__('Cancel the request')}
            isBusy={action.isBusy}
            onClick={() => run(() => cancelAsyncRequest(client, endpoint, id))}
          />
        )}
      </div>
      <FactTable
        caption={trans.__('Facts')}
        empty=""
        facts={[
          ...when(trans.__('Queued'), request.created_at),
          ...when(trans.__('Begun'), request.started_at),
          ...when(trans.__('Ended'), request.finished_at),
          ...(isOpen ? when(trans.__('Expires'), request.expires_at) : []),
          {
            name: trans.__('Attempts'),
            value: trans.__('%1 of %2', request.attempts, request.retries + 1)
          },
          { name: trans.__('Content type'), value: request.content_type },
          ...where(trans.__('Input'), request.input_location),
          ...where(
            trans.__('Output'),
            state === 'Completed' ? request.output_location : ''
          ),
          ...where(
            trans.__('Failure'),
            state === 'Failed' ? request.failure_location : ''
          )
        ]}
      />
    </Drawer>
  );
}
