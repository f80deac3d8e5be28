/** The charts of a comparison: added, moved, resized and taken away as one likes, and so again the next time. */
import * as React from 'react';

import type { RunRecord } from '../../api';
import { Button, EmptyState, WhenInSight } from '../../components';
import { useStudio } from '../../frame';
import { ChartCard } from './ChartCard';
import { ChartControls } from './ChartControls';
import { ChartForm } from './ChartForm';
import {
  ICard,
  ILayout,
  MAX_CURVES,
  changeCard,
  defaultCards,
  layoutKey,
  loadLayout,
  metricKeys,
  moveCard,
  newCard,
  saveLayout
} from './layout';

export function ChartGrid(props: { runs: RunRecord[] }): React.ReactElement {
  const { trans } = useStudio();
  const { runs } = props;
  const key = layoutKey(runs);
  const [layout, setLayout] = React.useState<ILayout>(() => loadLayout(key));
  const [edited, setEdited] = React.useState<ICard | 'new' | null>(null);
  const [dragged, setDragged] = React.useState<string | null>(null);
  const [said, setSaid] = React.useState('');
  React.useEffect(() => setLayout(loadLayout(key)), [key]);

  const signature = metricKeys(runs).join('\n');
  const ids = runs.map(run => run.id).join();
  // eslint-disable-next-line react-hooks/exhaustive-deps -- values that change while a run goes on change no chart
  const standard = React.useMemo(() => defaultCards(runs), [signature, ids]);
  const cards = layout.cards ?? standard;
  const change = (next: Partial<ILayout>) => {
    const whole = { ...layout, ...next };
    setLayout(whole);
    saveLayout(key, whole);
  };
  const move = (id: string, to: number) => {
    change({ cards: moveCard(cards, id, to) });
    setSaid(trans.__('Moved to place %1 of %2.', to + 1, cards.length));
  };
  const hidden = metricKeys(runs).length - MAX_CURVES;

  return (
    <div className="atelier-Compare-charts">
      <ChartControls
        controls={layout.controls}
        onChange={controls => change({ controls })}
      >
        {layout.cards !== null && (
          <Button
            label={trans.__('Reset the charts')}
            onClick={() => change({ cards: null })}
          />
        )}
        <Button
          label={trans.__('Add a chart')}
          onClick={() => setEdited(edited === 'new' ? null : 'new')}
        />
      </ChartControls>
      {edited !== null && (
        <ChartForm
          key={edited === 'new' ? 'new' : edited.id}
          runs={runs}
          initial={edited === 'new' ? null : edited.spec}
          onCancel={() => setEdited(null)}
          onSubmit={spec => {
            change({
              cards:
                edited === 'new'
                  ? [newCard(spec), ...cards]
                  : changeCard(cards, edited.id, { spec })
            });
            setEdited(null);
          }}
        />
      )}
      <div className="atelier-visually-hidden" role="status">
        {said}
      </div>
      {cards.length === 0 && (
        <EmptyState
          title={trans.__('No charts')}
          text={
            layout.cards === null
              ? trans.__('None of these runs has logged a metric yet.')
              : trans.__('All charts were taken away. Add one, or reset them.')
          }
        />
      )}
      <div className="atelier-Compare-grid">
        {cards.map((card, place) => (
          <section
            key={card.id}
            className="atelier-Compare-card"
            data-wide={card.isWide || undefined}
            data-dragged={dragged === card.id || undefined}
            onDragOver={event => {
              if (dragged !== null) {
                event.preventDefault();
              }
            }}
            onDrop={event => {
              if (dragged !== null) {
                event.preventDefault();
                move(dragged, place);
                setDragged(null);
              }
            }}
          >
            <WhenInSight minHeight={card.height + 40}>
              <ChartCard
                runs={runs}
                card={card}
                controls={layout.controls}
                place={place}
                count={cards.length}
                onMove={to => move(card.id, to)}
                onDrag={isDragged => setDragged(isDragged ? card.id : null)}
                onChange={next =>
                  change({ cards: changeCard(cards, card.id, next) })
                }
                onEdit={() => setEdited(card)}
                onRemove={() =>
                  change({ cards: cards.filter(other => other !== card) })
                }
              />
            </WhenInSight>
          </section>
        ))}
      </div>
      {layout.cards === null && hidden > 0 && (
        <p className="atelier-muted">
          {trans.__(
            '%1 more metrics have no chart of their own yet; add one for those that you want to see.',
            hidden
          )}
        </p>
      )}
    </div>
  );
}
