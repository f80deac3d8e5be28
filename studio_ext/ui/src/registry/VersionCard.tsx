/** The model card of a version: read, written part by part, and its earlier revisions. */
import * as React from 'react';

import type { CardPage, ModelCard, VersionRecord } from '../api';
import {
  Button,
  EmptyState,
  ErrorBar,
  Loaded,
  Markdown,
  SelectField,
  TextAreaField,
  Time,
  formatAbsolute,
  useAction
} from '../components';
import { useResource, useStudio } from '../frame';
import { listCards, writeCard } from './calls';

const PARTS = [
  'text',
  'intended_use',
  'data',
  'metrics',
  'ethics',
  'limits'
] as const;

type Part = (typeof PARTS)[number];
type Parts = { [part in Part]: string };

export function VersionCard(props: {
  version: VersionRecord;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { version } = props;
  const [isEditing, setEditing] = React.useState(false);
  const cards = useResource<CardPage>(
    `card/${version.model}/${version.version}`,
    signal => listCards(client, version, signal)
  );
  return (
    <Loaded
      resource={cards}
      failure={trans.__('The card could not be read')}
      rows={6}
    >
      {data =>
        isEditing ? (
          <CardForm
            version={version}
            newest={data.cards[0] ?? null}
            onClose={() => setEditing(false)}
          />
        ) : data.cards.length === 0 ? (
          <EmptyState
            title={trans.__('No card yet')}
            text={trans.__(
              'A card says what the model is for, what it was made of, and where it must not be used.'
            )}
            code={`kt.registry.write_card(${JSON.stringify(version.model)}, ${version.version}, intended_use="...", limits="...")`}
            action={{
              label: trans.__('Write the card'),
              onClick: () => setEditing(true)
            }}
          />
        ) : (
          <CardView cards={data.cards} onEdit={() => setEditing(true)} />
        )
      }
    </Loaded>
  );
}

function CardView(props: {
  cards: ModelCard[];
  onEdit(): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const labels = useLabels();
  const { cards } = props;
  const [revision, setRevision] = React.useState<number | null>(null);
  const card = cards.find(item => item.revision === revision) ?? cards[0];
  const isNewest = card === cards[0];
  return (
    <div className="atelier-Card">
      <div className="atelier-Card-bar">
        <SelectField
          label={trans.__('Revision')}
          value={String(card.revision)}
          options={cards.map(item => ({
            value: String(item.revision),
            label: trans.__(
              '%1, by %2, %3',
              item.revision,
              item.created_by,
              formatAbsolute(item.created_at)
            )
          }))}
          onChange={value => setRevision(Number(value))}
        />
        <Button
          label={trans.__('Edit the card')}
          isDisabled={!isNewest}
          onClick={props.onEdit}
        />
      </div>
      {!isNewest && (
        <p className="atelier-Reason" role="status">
          {trans.__(
            'An earlier revision; the newest one is %1.',
            cards[0].revision
          )}
        </p>
      )}
      {card.text && <Markdown text={card.text} />}
      {PARTS.filter(part => part !== 'text').map(part => (
        <section key={part}>
          <h2>{labels[part]}</h2>
          {card[part] ? (
            <Markdown text={card[part]} />
          ) : (
            <p className="atelier-muted">{trans.__('Not said yet.')}</p>
          )}
        </section>
      ))}
      <p className="atelier-muted">
        {card.created_by} · <Time value={card.created_at} />
      </p>
    </div>
  );
}

function CardForm(props: {
  version: VersionRecord;
  newest: ModelCard | null;
  onClose(): void;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const labels = useLabels();
  const { version, newest } = props;
  const [before] = React.useState(newest);
  const [parts, setParts] = React.useState<Parts>(() => partsOf(newest));
  const action = useAction();
  const changes = Object.fromEntries(
    PARTS.filter(part => parts[part] !== partsOf(before)[part]).map(part => [
      part,
      parts[part]
    ])
  );
  const isStale = newest?.revision !== before?.revision;
  const save = async () => {
    if (await action.run(() => writeCard(client, version, changes))) {
      props.onClose();
    }
  };
  return (
    <form
      className="atelier-Card"
      onSubmit={event => {
        event.preventDefault();
        void save();
      }}
    >
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      {isStale && (
        <p className="atelier-Reason" role="alert">
          {trans.__(
            'Somebody has written revision %1 meanwhile. Parts that you change here replace theirs; the others stay.',
            newest?.revision ?? 0
          )}
        </p>
      )}
      {PARTS.map(part => (
        <TextAreaField
          key={part}
          label={labels[part]}
          rows={part === 'text' ? 6 : 4}
          value={parts[part]}
          onChange={text => setParts({ ...parts, [part]: text })}
        />
      ))}
      <p className="atelier-muted">
        {trans.__('In Markdown. Every revision is kept.')}
      </p>
      <div className="atelier-Buttons">
        <Button
          kind="primary"
          label={trans.__('Save as revision %1', (newest?.revision ?? 0) + 1)}
          isBusy={action.isBusy}
          isDisabled={Object.keys(changes).length === 0}
          onClick={() => void save()}
        />
        <Button label={trans.__('Cancel')} onClick={props.onClose} />
      </div>
    </form>
  );
}

function useLabels(): Parts {
  const { trans } = useStudio();
  return {
    text: trans.__('About the model'),
    intended_use: trans.__('Intended use'),
    data: trans.__('Data'),
    metrics: trans.__('Metrics'),
    ethics: trans.__('Ethics'),
    limits: trans.__('Limits')
  };
}

function partsOf(card: ModelCard | null): Parts {
  return Object.fromEntries(
    PARTS.map(part => [part, card?.[part] ?? ''])
  ) as Parts;
}
