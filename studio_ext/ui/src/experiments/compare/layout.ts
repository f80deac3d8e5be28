/** The charts of a comparison: which there are by default, their places and sizes, and where that is remembered. */
import { TranslationBundle } from '@jupyterlab/translation';

import type { RunRecord } from '../../api';
import { groupMetrics } from '../groups';
import { quote } from '../columns';
import type { FigureSpec } from './calls';

export interface ICard {
  id: string;
  spec: FigureSpec;
  isWide: boolean;
  height: number;
}

export type Axis = 'step' | 'time' | 'relative';

/** What all curves share. */
export interface IControls {
  x: Axis;
  smoothing: number;
  log_y: boolean;
  log_x: boolean;
}

export interface ILayout {
  controls: IControls;
  /** Null for those that the runs have by default. */
  cards: ICard[] | null;
}

export const DEFAULT_LAYOUT: ILayout = {
  controls: { x: 'step', smoothing: 0, log_y: false, log_x: false },
  cards: null
};
export const MIN_HEIGHT = 180;
export const MAX_HEIGHT = 900;
const HEIGHT = 280;
/** Curves that are drawn unasked; the rest can be added. */
export const MAX_CURVES = 12;
const MAX_AXES = 8;

/** A metric or a parameter as the server's figures know it. */
export function fieldOf(
  kind: 'metrics' | 'params' | 'tags',
  key: string
): string {
  return `${kind}.${quote(key)}`;
}

/** The keys of the metrics that any run has, those of a group beside each other. */
export function metricKeys(runs: RunRecord[]): string[] {
  const keys = new Set(runs.flatMap(run => Object.keys(run.metrics)));
  return groupMetrics([...keys]).flatMap(group => group.keys);
}

/** The keys of the parameters (or tags) in which runs differ. */
export function differingKeys(
  runs: RunRecord[],
  kind: 'params' | 'tags'
): string[] {
  const keys = new Set(runs.flatMap(run => Object.keys(run[kind])));
  return [...keys]
    .filter(key => new Set(runs.map(run => run[kind][key])).size > 1)
    .sort();
}

/** The metric that matters most, as far as its name tells: one of data that was not trained on. */
export function mainMetric(keys: string[]): string | null {
  const held = keys.filter(key =>
    /(^|[-/_.])(val|valid|validation|test|eval)/i.test(key)
  );
  return held[0] ?? keys[0] ?? null;
}

export function defaultCards(runs: RunRecord[]): ICard[] {
  const keys = metricKeys(runs);
  const specs: FigureSpec[] = keys.slice(0, MAX_CURVES).map(curvesOf);
  const main = mainMetric(keys);
  const params = differingKeys(runs, 'params').filter(key =>
    runs.every(run => key in run.params)
  );
  if (main) {
    const metric = fieldOf('metrics', main);
    specs.push({ kind: 'bars', metric });
    if (params.length > 0) {
      const fields = params.map(key => fieldOf('params', key));
      specs.push(
        {
          kind: 'parallel',
          fields: [...fields.slice(0, MAX_AXES - 1), metric],
          color: null
        },
        { kind: 'scatter', x: fields[0], y: metric, color: null },
        { kind: 'boxes', metric, by: fields[0] }
      );
    }
  }
  return specs.map((spec, index) => ({
    id: `default-${index}`,
    spec,
    isWide: spec.kind === 'parallel',
    height: HEIGHT
  }));
}

export function curvesOf(key: string): FigureSpec {
  return { kind: 'curves', keys: [key], ...DEFAULT_LAYOUT.controls };
}

export function newCard(spec: FigureSpec): ICard {
  const id = `card-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 6)}`;
  return { id, spec, isWide: spec.kind === 'parallel', height: HEIGHT };
}

/** The card with an id at another place; the others close up. */
export function moveCard(cards: ICard[], id: string, to: number): ICard[] {
  const card = cards.find(item => item.id === id);
  if (!card) {
    return cards;
  }
  const rest = cards.filter(item => item !== card);
  const place = Math.min(Math.max(to, 0), rest.length);
  return [...rest.slice(0, place), card, ...rest.slice(place)];
}

export function changeCard(
  cards: ICard[],
  id: string,
  change: Partial<ICard>
): ICard[] {
  return cards.map(card => (card.id === id ? { ...card, ...change } : card));
}

/** What a chart is called. */
export function titleOf(spec: FigureSpec, trans: TranslationBundle): string {
  switch (spec.kind) {
    case 'curves':
      return spec.keys.join(', ');
    case 'parallel':
      return spec.fields.map(plain).join(' · ');
    case 'scatter':
      return trans.__('%1 over %2', plain(spec.y), plain(spec.x));
    case 'bars':
      return trans.__('%1 by run', plain(spec.metric));
    case 'boxes':
      return trans.__('%1 by %2', plain(spec.metric), plain(spec.by));
  }
}

function plain(field: string): string {
  return field.replace(/^(metrics|params|tags)\./, '').replace(/`/g, '');
}

/** Curves are drawn with what all of them share. */
export function withControls(
  spec: FigureSpec,
  controls: IControls
): FigureSpec {
  return spec.kind === 'curves' ? { ...spec, ...controls } : spec;
}

/** Layouts are remembered by the experiments that the runs are of, in the browser. */
export function layoutKey(runs: RunRecord[]): string {
  const names = [...new Set(runs.map(run => run.experiment))].sort();
  return `jupyter-atelier:compare:${JSON.stringify(names)}`;
}

export function loadLayout(key: string): ILayout {
  try {
    const stored = JSON.parse(localStorage.getItem(key) ?? 'null') as ILayout;
    return stored && 'controls' in stored
      ? {
          controls: { ...DEFAULT_LAYOUT.controls, ...stored.controls },
          cards: Array.isArray(stored.cards) ? stored.cards : null
        }
      : DEFAULT_LAYOUT;
  } catch {
    return DEFAULT_LAYOUT; // not readable, or the browser keeps nothing
  }
}

export function saveLayout(key: string, layout: ILayout): void {
  try {
    localStorage.setItem(key, JSON.stringify(layout));
  } catch {
    /* the browser keeps nothing: the layout lives as long as the tab */
  }
}
