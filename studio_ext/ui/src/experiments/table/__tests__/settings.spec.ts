/** Settings of a table as they are kept, and what they mean. */
import type { RunRecord } from '../../../api';
import { toCsv } from '../csv';
import { USUAL, goalOf, orderOf, readSettings, sortOf } from '../settings';

describe('settings', () => {
  it('come back as they were kept', () => {
    const settings = {
      ...USUAL,
      filter: 'metrics.auc > 0.5',
      order_by: 'metrics.`a b` DESC',
      columns: [{ id: 'metrics.auc', width: 120 }],
      group_by: 'params.depth',
      is_nested: true,
      shown: 'archived' as const,
      goals: { auc: 'min' as const }
    };
    expect(readSettings(JSON.parse(JSON.stringify(settings)))).toEqual(
      settings
    );
  });

  it.each([null, 5, [], 'x', { columns: 'x', goals: 3, shown: 'none' }])(
    'are the usual ones where %j was kept',
    kept => {
      expect(readSettings(kept)).toEqual(USUAL);
    }
  );

  it('say an order as the head of a list does', () => {
    const sort = { key: 'metrics.`a b`', isDescending: true };
    expect(sortOf(orderOf(sort))).toEqual(sort);
    expect(sortOf('')).toBeNull();
  });

  it.each([
    ['loss', 'min'],
    ['valid-logloss', 'min'],
    ['val/RMSE', 'min'],
    ['mean_abs_error', 'min'],
    ['train_seconds', 'min'],
    ['auc', 'max'],
    ['accuracy', 'max'],
    ['glossary', 'max']
  ])('take the best %s to be its %s', (key, goal) => {
    expect(goalOf(key, {})).toBe(goal);
  });

  it('let a person decide what the best is', () => {
    expect(goalOf('loss', { loss: 'max' })).toBe('max');
  });
});

describe('toCsv', () => {
  it('quotes what needs it and defuses formulas', () => {
    const run = {
      id: 'r',
      name: 'a, "b"',
      params: { p: '=1+1' },
      metrics: { m: -0.123456789, n: 'NaN' },
      tags: {},
      started_at: 0,
      ended_at: 1500
    } as unknown as RunRecord;
    const columns = ['name', 'params.p', 'metrics.m', 'metrics.n', 'duration'];
    expect(toCsv([run], columns)).toBe(
      'run_id,name,params.p,metrics.m,metrics.n,duration\r\n' +
        `r,"a, ""b""",'=1+1,-0.123456789,NaN,1.5\r\n`
    );
  });
});
