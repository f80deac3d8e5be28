/** Pages of items that are kept up to date. */
import { appendPage, mergePages } from '../resource';

const identify = (item: string) => item;

describe('mergePages', () => {
  it('takes the fresh page when nothing more was known', () => {
    const known = { items: ['b', 'c'], next: 'after-c' };
    const first = { items: ['a', 'b'], next: 'after-b' };
    expect(mergePages(known, first, 2, identify)).toBe(first);
  });

  it('keeps what lies beyond the fresh page, without doubles', () => {
    const known = { items: ['b', 'c', 'd'], next: 'after-d' };
    const first = { items: ['a', 'd'], next: 'after-d-1' };
    expect(mergePages(known, first, 2, identify)).toEqual({
      items: ['a', 'd'],
      next: 'after-d'
    });
  });

  it('takes the fresh page when it is the whole list', () => {
    const known = { items: ['a', 'b', 'c'], next: null };
    const first = { items: ['a'], next: null };
    expect(mergePages(known, first, 2, identify)).toBe(first);
  });
});

describe('appendPage', () => {
  it('appends, without doubles', () => {
    const known = { items: ['a', 'b'], next: 'token' };
    const page = { items: ['b', 'c'], next: null };
    expect(appendPage(known, page, 'token', identify)).toEqual({
      items: ['a', 'b', 'c'],
      next: null
    });
  });

  it('drops a page that was asked for before the list changed', () => {
    const known = { items: ['a'], next: 'newer' };
    const page = { items: ['z'], next: null };
    expect(appendPage(known, page, 'older', identify)).toBe(known);
  });
});
