/** Paths and links. */
import {
  formatPath,
  linkTo,
  parsePath,
  pathOfSearch,
  withoutPath
} from '../links';

describe('parsePath', () => {
  it('takes a path apart', () => {
    expect(parsePath('model/census-income/3')).toEqual({
      kind: 'model',
      names: ['census-income', '3']
    });
    expect(parsePath('/home/')).toEqual({ kind: 'home', names: [] });
  });

  it.each(['', 'run/../etc', 'run/%2e%2e%2fx', 'a/b/c/d', 'RUN/x', 'run/%'])(
    'refuses %j',
    path => {
      expect(parsePath(path)).toBeNull();
    }
  );

  it('reads what formatPath writes', () => {
    for (const name of ['a.b_c-1', 'Größe / 50 % of it?', '…']) {
      expect(parsePath(formatPath('experiments', name))).toEqual({
        kind: 'experiments',
        names: [name]
      });
    }
  });
});

describe('pathOfSearch', () => {
  it('finds the path among other parameters', () => {
    expect(pathOfSearch('?reset&atelier=run/abc&x=1')).toBe('run/abc');
    expect(pathOfSearch('?atelier=run%2Fabc')).toBe('run/abc');
  });

  it('finds none', () => {
    expect(pathOfSearch('')).toBeNull();
    expect(pathOfSearch('?atelier=')).toBeNull();
  });
});

describe('withoutPath', () => {
  it('keeps the other parameters as they are', () => {
    expect(withoutPath('?reset&atelier=run/abc&x=a%20b')).toBe(
      '?reset&x=a%20b'
    );
    expect(withoutPath('?atelier=home')).toBe('');
  });
});

describe('linkTo', () => {
  it('makes an address that opens the page', () => {
    const link = linkTo('http://localhost:8888/lab?reset', 'run/abc');
    expect(link).toBe('http://localhost:8888/lab?atelier=run/abc');
    expect(pathOfSearch(new URL(link).search)).toBe('run/abc');
  });
});
