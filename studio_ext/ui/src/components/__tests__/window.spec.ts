/** Which rows are drawn, and where keys lead. */
import { OVERSCAN, rowOfKey, scrollToRow, windowOf } from '../window';

describe('windowOf', () => {
  it('draws what is in sight and a little more', () => {
    expect(windowOf(3000, 300, 30, 1000)).toEqual({
      start: 100 - OVERSCAN,
      end: 100 + 11 + OVERSCAN
    });
  });

  it('stays within the rows', () => {
    expect(windowOf(0, 300, 30, 3)).toEqual({ start: 0, end: 3 });
    expect(windowOf(99_999, 300, 30, 50).end).toBe(50);
    expect(windowOf(0, 300, 30, 0)).toEqual({ start: 0, end: 0 });
  });

  it('draws as many rows of a million as of a hundred', () => {
    const { start, end } = windowOf(15_000_000, 600, 30, 1_000_000);
    expect(end - start).toBeLessThan(50);
  });
});

describe('scrollToRow', () => {
  it('moves only as far as needed', () => {
    expect(scrollToRow(5, 0, 300, 30)).toBe(0);
    expect(scrollToRow(10, 0, 300, 30)).toBe(30);
    expect(scrollToRow(2, 120, 300, 30)).toBe(60);
  });
});

describe('rowOfKey', () => {
  it.each([
    ['ArrowDown', 4, 5],
    ['ArrowUp', 0, 0],
    ['PageDown', 95, 99],
    ['PageUp', 20, 10],
    ['Home', 50, 0],
    ['End', 50, 99]
  ])('%s leads from %p to %p', (key, row, target) => {
    expect(rowOfKey(key, row, 100, 10)).toBe(target);
  });

  it('leaves other keys alone', () => {
    expect(rowOfKey('a', 3, 100, 10)).toBeNull();
  });
});
