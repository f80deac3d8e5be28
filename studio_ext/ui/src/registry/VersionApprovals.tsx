/** What was decided about a version and what else happened to it, from the audit log, the newest first. */
import * as React from 'react';

import type { VersionEvent, VersionRecord } from '../api';
import { Loaded, Time, VersionChip } from '../components';
import { useResource, useStudio } from '../frame';
import { versionHistory } from './calls';

type Translator = { __(text: string, ...args: unknown[]): string };

export function VersionApprovals(props: {
  version: VersionRecord;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { version } = props;
  const [isAll, setAll] = React.useState(false);
  const history = useResource(
    `events/${version.model}/${version.version}`,
    signal => versionHistory(client, version, signal)
  );
  return (
    <Loaded
      resource={history}
      failure={trans.__('What happened to this version could not be read')}
      rows={6}
    >
      {data => {
        const shown = data.events.filter(event => isAll || isDecision(event));
        return (
          <div className="atelier-History">
            <label className="atelier-Check">
              <input
                type="checkbox"
                checked={isAll}
                onChange={event => setAll(event.target.checked)}
              />
              <span>{trans.__('Also changes of texts, tags and aliases')}</span>
            </label>
            {shown.length === 0 ? (
              <p className="atelier-muted">
                {trans.__('Nothing was decided yet.')}
              </p>
            ) : (
              <ol aria-label={trans.__('What happened')}>
                {shown.map((event, index) => (
                  <li key={index}>
                    <Event event={event} version={version} />
                  </li>
                ))}
              </ol>
            )}
            {!data.is_complete && (
              <p className="atelier-muted">
                {trans.__('The audit log goes further back than shown here.')}
              </p>
            )}
          </div>
        );
      }}
    </Loaded>
  );
}

function Event(props: {
  event: VersionEvent;
  version: VersionRecord;
}): React.ReactElement {
  const { trans } = useStudio();
  const { event, version } = props;
  const { status, note, reason } = event.details as {
    [key: string]: string | undefined;
  };
  const text = note || reason;
  return (
    <>
      <span className="atelier-History-line">
        {event.action === 'model.decide' ? (
          <VersionChip status={status as VersionRecord['status']} />
        ) : (
          <strong>{describeEvent(event, version.version, trans)}</strong>
        )}
        <span>{event.actor}</span>
        <span className="atelier-muted">
          <Time value={event.time} />
        </span>
      </span>
      {text && <q>{text}</q>}
    </>
  );
}

/** Whether an event decides what the version is used for. */
export function isDecision(event: Pick<VersionEvent, 'action'>): boolean {
  return [
    'model.register',
    'model.decide',
    'model.promote',
    'model.stage',
    'endpoint.deploy'
  ].includes(event.action);
}

/** An event in words. */
export function describeEvent(
  event: Pick<VersionEvent, 'action' | 'details'>,
  version: number,
  trans: Translator
): string {
  const details = event.details as { [key: string]: unknown };
  switch (event.action) {
    case 'model.register':
      return trans.__('Registered');
    case 'model.promote':
      return details.previous_version
        ? trans.__(
            'Promoted to %1, in the place of version %2',
            details.alias,
            details.previous_version
          )
        : trans.__('Promoted to %1', details.alias);
    case 'model.alias':
      return details.version === version
        ? trans.__('Got the alias %1', details.alias)
        : trans.__(
            'Lost the alias %1 to version %2',
            details.alias,
            details.version
          );
    case 'model.stage':
      return trans.__('Stage %1', details.stage);
    case 'model.card':
      return trans.__('Card, revision %1', details.revision);
    case 'model.describe':
      return trans.__('Described');
    case 'model.licence':
      return trans.__('Licence %1', details.licence);
    case 'model.tag':
      return trans.__(
        'Tagged: %1',
        Object.keys(Object(details.tags)).join(', ')
      );
    case 'model.untag':
      return trans.__('Tag %1 removed', details.key);
    case 'model.rename':
      return trans.__('The model was renamed to %1', details.new_name);
    case 'endpoint.deploy':
      return details.trust
        ? trans.__('Deployed, with trust in its code')
        : trans.__('Deployed');
    default:
      return event.action;
  }
}
