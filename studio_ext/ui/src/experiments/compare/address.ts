/** The address of a comparison: `compare/<id>~<id>`. */
import { formatPath, isName } from '../../frame';

export const MAX_RUNS = 20;

/** The path of the comparison of runs. */
export function comparePath(ids: string[]): string {
  return ids.length ? formatPath('compare', ids.join('~')) : 'compare';
}

/** The ids that a path names, none of them twice; null if it names none, or more than can be compared. */
export function comparedIds(names: string[]): string[] | null {
  if (names.length > 1) {
    return null;
  }
  const ids = [...new Set((names[0] ?? '').split('~'))].filter(id => id !== '');
  return ids.length <= MAX_RUNS && ids.every(isName) ? ids : null;
}

/** What the tab says: the first names, and how many more there are. */
export function comparisonTitle(names: string[]): string {
  const shown = names.slice(0, 2).join(', ');
  return names.length > 2 ? `${shown} +${names.length - 2}` : shown;
}
