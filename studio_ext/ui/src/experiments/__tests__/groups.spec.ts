/** Which metrics share a figure, and how keys are written to the server. */
import { quote } from '../columns';
import { MAX_SERIES, groupMetrics } from '../groups';

describe('groupMetrics', () => {
  it('puts keys with the same prefix together', () => {
    expect(
      groupMetrics(['valid-auc', 'loss', 'train/auc', 'valid-logloss'])
    ).toEqual([
      { name: 'loss', keys: ['loss'] },
      { name: 'train', keys: ['train/auc'] },
      { name: 'valid', keys: ['valid-auc', 'valid-logloss'] }
    ]);
  });

  it('cuts a group that has too many series for one figure', () => {
    const keys = Array.from({ length: MAX_SERIES + 1 }, (_, i) => `layer/${i}`);
    const groups = groupMetrics(keys);
    expect(groups.map(({ name }) => name)).toEqual([
      'layer (1/2)',
      'layer (2/2)'
    ]);
    expect(groups[1].keys).toEqual([`layer/${MAX_SERIES}`]);
  });

  it('does not take a leading dash for a prefix', () => {
    expect(groupMetrics(['-x'])).toEqual([{ name: '-x', keys: ['-x'] }]);
  });
});

describe('quote', () => {
  it('quotes only keys that need it', () => {
    expect(quote('auc')).toBe('auc');
    expect(quote('valid-auc')).toBe('`valid-auc`');
  });
});
