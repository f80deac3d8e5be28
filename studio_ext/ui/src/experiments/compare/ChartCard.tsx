/** One chart of a comparison, with what can be done with it. */
import * as React from 'react';

import type { RunRecord, RunsFigureReply } from '../../api';
import { Figure, IMenuItem, isFigure } from '../../components';
import { useResource, useStudio } from '../../frame';
import { FigureSpec, drawRuns } from './calls';
import {
  ICard,
  IControls,
  MAX_HEIGHT,
  MIN_HEIGHT,
  titleOf,
  withControls
} from './layout';

/** Pixels by which a key makes a chart taller or shorter. */
const STEP = 40;

export interface IChartCardProps {
  runs: RunRecord[];
  card: ICard;
  controls: IControls;
  place: number;
  count: number;
  onMove(to: number): void;
  onDrag(isDragged: boolean): void;
  onChange(change: Partial<ICard>): void;
  onEdit(): void;
  onRemove(): void;
}

export function ChartCard(props: IChartCardProps): React.ReactElement {
  const { trans } = useStudio();
  const { runs, card, place, count } = props;
  const title = titleOf(card.spec, trans);
  const drawn = useFigure(runs, withControls(card.spec, props.controls));
  const figure = drawn.data?.figure;
  const missing = drawn.data?.missing.length ?? 0;
  const items: IMenuItem[] = [
    { label: trans.__('Edit…'), onSelect: props.onEdit },
    {
      label: card.isWide ? trans.__('Narrower') : trans.__('Wider'),
      onSelect: () => props.onChange({ isWide: !card.isWide })
    },
    ...(place > 0
      ? [
          {
            label: trans.__('Move Earlier'),
            onSelect: () => props.onMove(place - 1)
          }
        ]
      : []),
    ...(place < count - 1
      ? [
          {
            label: trans.__('Move Later'),
            onSelect: () => props.onMove(place + 1)
          }
        ]
      : []),
    { label: trans.__('Remove'), onSelect: props.onRemove }
  ];
  return (
    <>
      <Figure
        title={title}
        figure={isFigure(figure) ? figure : null}
        error={drawn.error}
        height={card.height}
        code={drawn.data?.code}
        note={
          missing > 0
            ? missingNote(card.spec, missing, runs.length, trans)
            : undefined
        }
        menu={items}
        handle={
          <span
            className="atelier-Compare-handle"
            draggable
            title={trans.__('Drag to another place')}
            aria-hidden="true"
            onDragStart={event => {
              event.dataTransfer.effectAllowed = 'move';
              event.dataTransfer.setData('text/plain', title);
              props.onDrag(true);
            }}
            onDragEnd={() => props.onDrag(false)}
          >
            ⠿
          </span>
        }
      />
      <HeightHandle
        title={title}
        height={card.height}
        onChange={height => props.onChange({ height })}
      />
    </>
  );
}

/** The figure of a chart; while another one comes, the one before stays. */
function useFigure(
  runs: RunRecord[],
  spec: FigureSpec
): {
  data: RunsFigureReply | null;
  error: ReturnType<typeof useResource>['error'];
} {
  const { client } = useStudio();
  const ids = runs.map(run => run.id);
  const isLive = runs.some(run => run.status === 'RUNNING');
  const state = React.useRef({
    isLive,
    text: '',
    shown: null as RunsFigureReply | null
  });
  state.current.isLive = isLive;
  const resource = useResource<RunsFigureReply>(
    JSON.stringify(['runs-figure', ids, spec, isLive]),
    async (signal, known) => {
      if (known && !state.current.isLive) {
        return known;
      }
      const reply = await drawRuns(client, { runs: ids, figure: spec }, signal);
      const text = JSON.stringify(reply);
      if (text === state.current.text && state.current.shown) {
        return state.current.shown;
      }
      state.current.text = text;
      return reply;
    }
  );
  if (resource.data) {
    state.current.shown = resource.data;
  }
  return {
    data: resource.data ?? (resource.error ? null : state.current.shown),
    error: resource.error
  };
}

function missingNote(
  spec: FigureSpec,
  missing: number,
  count: number,
  trans: ReturnType<typeof useStudio>['trans']
): string {
  return spec.kind === 'curves'
    ? trans.__('%1 of %2 runs have no such metric', missing, count)
    : trans.__('%1 of %2 runs lack a value', missing, count);
}

/** The lower edge of a chart: pulled by the pointer, or moved by the arrows. */
function HeightHandle(props: {
  title: string;
  height: number;
  onChange(height: number): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { height, onChange } = props;
  const start = React.useRef<{ y: number; height: number } | null>(null);
  const clamp = (value: number) =>
    Math.round(Math.min(MAX_HEIGHT, Math.max(MIN_HEIGHT, value)));
  return (
    <div
      className="atelier-Compare-edge"
      role="separator"
      aria-orientation="horizontal"
      aria-label={trans.__('Height of %1', props.title)}
      aria-valuemin={MIN_HEIGHT}
      aria-valuemax={MAX_HEIGHT}
      aria-valuenow={height}
      tabIndex={0}
      onKeyDown={event => {
        const steps: { [key: string]: number } = {
          ArrowDown: STEP,
          ArrowUp: -STEP
        };
        if (event.key in steps) {
          event.preventDefault();
          onChange(clamp(height + steps[event.key]));
        }
      }}
      onPointerDown={event => {
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { y: event.clientY, height };
      }}
      onPointerMove={event => {
        if (start.current) {
          const { y, height } = start.current;
          onChange(clamp(height + event.clientY - y));
        }
      }}
      onPointerUp={() => (start.current = null)}
    />
  );
}
