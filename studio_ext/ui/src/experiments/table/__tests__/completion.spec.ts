/** How a filter goes on at the caret. */
import type { RunFields } from '../../../api';
import { completeFilter } from '../completion';

const field = (key: string, samples: string[] = []) => ({
  key,
  run_count: 5,
  samples,
  is_numeric: false,
  is_system: false
});
const FIELDS: RunFields = {
  run_count: 5,
  metrics: [field('auc'), field('valid-auc')],
  params: [field('max_depth', ['6', "it's"])],
  tags: [field('a key', ['x'])],
  is_complete: true
};

function optionsAt(text: string): string[] {
  const found = completeFilter(text, text.length, FIELDS);
  return found?.options.map(option => option.text) ?? [];
}

describe('completeFilter', () => {
  it.each([
    ['', 'metrics.auc '],
    ['au', 'metrics.auc '],
    ['metrics.val', 'metrics.`valid-auc` '],
    ['tags.', 'tags.`a key` '],
    ['stat', 'status '],
    ['metrics.auc ', '>= '],
    ['metrics.auc >', '>= '],
    ['params.max_depth ', 'LIKE '],
    ["params.max_depth = '", "'it''s' "],
    ['params.max_depth = ', "'6' "],
    ["params.max_depth IN ('6', ", "'it''s'"],
    ['status = ', "'FINISHED' "],
    ['tags.`a key` = ', "'x' "],
    ['metrics.auc > 0.5 ', 'AND '],
    ['metrics.auc > 0.5 an', 'AND '],
    ['metrics.auc > 0.5 AND ', 'params.max_depth '],
    ['(metrics.auc IS ', 'NOT NULL '],
    ["(status = 'FAILED') ", 'OR ']
  ])('goes on after %j with %j', (text, option) => {
    expect(optionsAt(text)).toContain(option);
  });

  it('takes the place of what was typed of it', () => {
    const text = "status = 'FAILED' and para";
    const found = completeFilter(text, text.length, FIELDS);
    expect(found).toMatchObject({ start: 22, end: 26 });
  });

  it('offers what begins so before what holds it', () => {
    expect(optionsAt('metrics.v')[0]).toBe('metrics.`valid-auc` ');
  });

  it('offers no orders of numbers for texts', () => {
    expect(optionsAt('params.max_depth ')).not.toContain('> ');
  });

  it.each(['#', 'metrics.auc > 0.5 #', '}{'])('leaves %j alone', text => {
    expect(optionsAt(text)).toEqual([]);
  });
});
