/** What the comparison decides without a server. */
import { nullTranslator } from '@jupyterlab/translation';

import type { ComparedRow, RunRecord } from '../../../api';
import { comparePath, comparedIds, comparisonTitle } from '../address';
import { bestColumns, deltaOf, filterRows, numberLines } from '../differences';
import {
  DEFAULT_LAYOUT,
  changeCard,
  curvesOf,
  defaultCards,
  fieldOf,
  layoutKey,
  loadLayout,
  mainMetric,
  moveCard,
  newCard,
  saveLayout,
  titleOf,
  withControls
} from '../layout';

const trans = nullTranslator.load('jupyter_atelier');

function makeRun(
  id: string,
  metrics: RunRecord['metrics'],
  params: { [key: string]: string } = {}
): RunRecord {
  return {
    id,
    name: id,
    experiment: 'e',
    status: 'FINISHED',
    user: 'u',
    started_at: 0,
    ended_at: 1,
    params,
    metrics,
    tags: {},
    experiment_id: '1',
    lifecycle: 'active',
    parent_run_id: null
  };
}

function makeRow(
  part: string,
  name: string,
  values: ComparedRow['values']
): ComparedRow {
  return { part, name, values, is_different: true };
}

describe('the address', () => {
  it('holds the ids, and reads them back once each', () => {
    expect(comparePath(['a', 'b'])).toBe('compare/a~b');
    expect(comparedIds(['a~b~a'])).toEqual(['a', 'b']);
    expect(comparedIds([])).toEqual([]);
    expect(comparePath([])).toBe('compare');
  });

  it('refuses what is no id, and more than 20', () => {
    expect(comparedIds(['a~../b'])).toBeNull();
    expect(comparedIds(['a', 'b'])).toBeNull();
    const ids = Array.from({ length: 21 }, (_, index) => `r${index}`);
    expect(comparedIds([ids.join('~')])).toBeNull();
    expect(comparedIds([ids.slice(1).join('~')])).toHaveLength(20);
  });

  it('gives the tab a short title', () => {
    expect(comparisonTitle(['a', 'b', 'c', 'd'])).toBe('a, b +2');
  });
});

describe('the charts by default', () => {
  const runs = [
    makeRun(
      'a',
      { 'train-loss': 1, 'valid-loss': 2 },
      { depth: '3', eta: '1' }
    ),
    makeRun('b', { 'train-loss': 1 }, { depth: '6', eta: '1' })
  ];

  it('are a curve for each metric, then what shows the differing parameters', () => {
    const cards = defaultCards(runs);
    expect(cards.map(card => card.spec.kind)).toEqual([
      'curves',
      'curves',
      'bars',
      'parallel',
      'scatter',
      'boxes'
    ]);
    expect(cards[3].spec).toMatchObject({
      fields: ['params.depth', 'metrics.`valid-loss`']
    });
    expect(new Set(cards.map(card => card.id)).size).toBe(cards.length);
  });

  it('are none without metrics', () => {
    expect(defaultCards([makeRun('a', {}), makeRun('b', {})])).toEqual([]);
  });

  it('draw the metric of data that was held back', () => {
    expect(mainMetric(['train-auc', 'valid-auc'])).toBe('valid-auc');
    expect(mainMetric(['loss'])).toBe('loss');
    expect(mainMetric([])).toBeNull();
  });
});

describe('the arrangement', () => {
  const cards = ['a', 'b', 'c'].map(id => ({ ...newCard(curvesOf(id)), id }));
  const order = (moved: typeof cards) => moved.map(card => card.id).join('');

  it('moves a chart to any place', () => {
    expect(order(moveCard(cards, 'a', 2))).toBe('bca');
    expect(order(moveCard(cards, 'c', 0))).toBe('cab');
    expect(order(moveCard(cards, 'b', 9))).toBe('acb');
    expect(order(moveCard(cards, 'x', 0))).toBe('abc');
  });

  it('changes one chart only', () => {
    const changed = changeCard(cards, 'b', { height: 400 });
    expect(changed.map(card => card.height)).toEqual([280, 400, 280]);
  });

  it('is remembered for an experiment, and a broken memory is none', () => {
    const key = layoutKey([makeRun('a', {})]);
    const layout = { ...DEFAULT_LAYOUT, cards };
    saveLayout(key, layout);
    expect(loadLayout(key)).toEqual(layout);
    localStorage.setItem(key, '{');
    expect(loadLayout(key)).toBe(DEFAULT_LAYOUT);
    expect(loadLayout('other')).toBe(DEFAULT_LAYOUT);
  });

  it('gives shared controls to curves alone', () => {
    const controls = { ...DEFAULT_LAYOUT.controls, smoothing: 0.5 };
    expect(withControls(curvesOf('a'), controls)).toMatchObject({
      smoothing: 0.5
    });
    const bars = { kind: 'bars' as const, metric: fieldOf('metrics', 'a b') };
    expect(withControls(bars, controls)).toBe(bars);
    expect(titleOf(bars, trans)).toContain('a b');
  });
});

describe('the differences', () => {
  it('mark the best value by what the name says', () => {
    const best = (name: string, values: ComparedRow['values']) =>
      [...bestColumns(makeRow('metrics', name, values))].join();
    expect(best('auc', [0.8, 0.9, null])).toBe('1');
    expect(best('valid/loss', [0.8, 0.9, 0.8])).toBe('0,2');
    expect(best('auc', ['NaN', 0.5, 0.4])).toBe('1');
    expect(best('auc', [0.5, 0.5])).toBe('');
    expect([...bestColumns(makeRow('params', 'depth', ['1', '2']))]).toEqual(
      []
    );
  });

  it('are measured against a baseline', () => {
    expect(deltaOf(0.75, 0.5)).toBe('+0.2500');
    expect(deltaOf(0.5, 0.75)).toBe('−0.2500');
    expect(deltaOf('NaN', 0.5)).toBe('');
    expect(deltaOf(null, 0.5)).toBe('');
  });

  it('are found by name or value', () => {
    const rows = [
      makeRow('params', 'booster', ['hist', null]),
      makeRow('params', 'depth', ['3', '6'])
    ];
    expect(filterRows(rows, 'HIST')).toEqual([rows[0]]);
    expect(filterRows(rows, ' dep ')).toEqual([rows[1]]);
    expect(filterRows(rows, '')).toBe(rows);
  });

  it('of texts have the numbers of their lines', () => {
    const lines = ['--- a', '+++ b', '@@ -3,2 +3,2 @@', ' x', '-y', '+z'];
    expect(
      numberLines(lines).map(line => [line.sign, line.before, line.after])
    ).toEqual([
      ['@', null, null],
      [' ', 3, 3],
      ['-', 4, null],
      ['+', null, 4]
    ]);
  });
});
