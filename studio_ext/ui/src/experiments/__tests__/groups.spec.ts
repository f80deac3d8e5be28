/** Which metrics share a figure, and how keys are written to the server. */
import { quote } from '../columns';
import { MAX_SERIES, groupMetrics } from '../groups';
import { previewKind } from '../Preview';

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

describe('previewKind', () => {
  const kind = (path: string, media_type: string, size = 100) =>
    previewKind({ path, media_type, size });

  it('goes by name, type and size', () => {
    expect(kind('roc.plotly.json', 'application/json')).toBe('figure');
    expect(kind('a.png', 'image/png')).toBe('picture');
    expect(kind('notes.md', 'text/markdown')).toBe('text');
    expect(kind('big.txt', 'text/plain', 1e8)).toBe('none');
    expect(kind('model.ubj', 'application/octet-stream')).toBe('none');
  });
});
