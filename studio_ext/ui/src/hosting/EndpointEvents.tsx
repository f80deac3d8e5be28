/** What happened to an endpoint: updates, scalings, weights, workers that were lost. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { EndpointEvent, EndpointOperation } from '../api';
import { Time } from '../components';
import { useStudio } from '../frame';

export function EndpointEvents(props: {
  operation: EndpointOperation;
}): React.ReactElement {
  const { trans } = useStudio();
  const { events } = props.operation;
  return (
    <section aria-label={trans.__('What happened')}>
      <h2>{trans.__('What happened')}</h2>
      {events.length === 0 ? (
        <p className="atelier-muted">
          {trans.__('It was neither updated nor scaled yet.')}
        </p>
      ) : (
        <ul className="atelier-EndpointEvents">
          {events.map((event, place) => (
            <li key={`${event.time}/${place}`}>
              <Time value={event.time} />
              <span>{sentenceOf(event, trans)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** An event in a sentence; one of a newer Atelier by its name. */
export function sentenceOf(
  { event, details }: EndpointEvent,
  trans: TranslationBundle
): string {
  const said = (name: string) => String(details[name] ?? '');
  switch (event) {
    case 'update':
      return updateSentence(said('phase'), details, trans);
    case 'scale':
      return scaleSentence(details, trans);
    case 'weights':
      return trans.__(
        'Weights set: %1.',
        Object.entries(Object(details.weights) as object)
          .map(([name, weight]) => `${name} ${String(weight)}`)
          .join(', ')
      );
    case 'worker_lost':
      return trans._n(
        'A worker ended unbidden; the host starts another.',
        '%1 workers ended unbidden; the host starts others.',
        Number(details.workers ?? 1)
      );
    case 'worker_worn':
      return trans.__('A worker is replaced: %1', said('reason'));
    default:
      return event;
  }
}

function updateSentence(
  phase: string,
  details: EndpointEvent['details'],
  trans: TranslationBundle
): string {
  const share = `${Math.round(100 * Number(details.share ?? 0))} %`;
  const reason = details.reason ? ` ${String(details.reason)}` : '';
  switch (phase) {
    case 'starting':
      return trans.__('An update began.');
    case 'shifting':
      return trans.__('%1 of the requests pass to the new revision.', share);
    case 'baking':
      return trans.__('All requests pass to the new revision.');
    case 'finished':
      return trans.__('The update is finished.');
    default:
      return trans.__('The update was rolled back.') + reason;
  }
}

function scaleSentence(
  details: EndpointEvent['details'],
  trans: TranslationBundle
): string {
  const { workers, variant, by } = details;
  if (workers === undefined || workers === null) {
    return trans.__(
      'Autoscaling was set: %1 to %2 workers, target %3.',
      String(details.min_workers),
      String(details.max_workers),
      String(details.target)
    );
  }
  const of = variant
    ? trans.__('variant %1', String(variant))
    : trans.__('each variant');
  if (by === 'autoscaling') {
    return trans.__('Autoscaling: %1 workers for %2.', String(workers), of);
  }
  const text = trans.__('Scaled to %1 workers for %2.', String(workers), of);
  return details.ends_autoscaling
    ? `${text} ${trans.__('Autoscaling ended.')}`
    : text;
}
