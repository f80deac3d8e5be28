/** The rows of a list by position: all at hand, or fetched as they come into sight. */

export interface IRows<T> {
  readonly length: number;
  /** The row at a position; undefined while it is on its way. */
  row(index: number): T | undefined;
  /** Where a row stands; -1 if it is not there, or not known yet. */
  find(id: string): number;
  /** These rows are in sight. */
  show?(start: number, end: number): void;
}

/** Rows at hand. */
export function rowsOf<T>(items: T[], identify: (item: T) => string): IRows<T> {
  return {
    length: items.length,
    row: index => items[index],
    find: id => items.findIndex(item => identify(item) === id)
  };
}
