/** Which metrics share a figure: those with the same word before the first `-` or `/`. */

export interface IMetricGroup {
  name: string;
  keys: string[];
}

/** Series in one figure; a larger group is cut into several figures. */
export const MAX_SERIES = 8;

export function groupMetrics(keys: string[]): IMetricGroup[] {
  const collator = new Intl.Collator(undefined, { numeric: true });
  const groups = new Map<string, string[]>();
  for (const key of [...keys].sort(collator.compare)) {
    const end = key.search(/[-/]/);
    const name = end > 0 ? key.slice(0, end) : key;
    groups.set(name, [...(groups.get(name) ?? []), key]);
  }
  const result: IMetricGroup[] = [];
  for (const [name, members] of groups) {
    const parts = Math.ceil(members.length / MAX_SERIES);
    for (let part = 0; part < parts; part += 1) {
      const start = part * MAX_SERIES;
      result.push({
        name: parts === 1 ? name : `${name} (${part + 1}/${parts})`,
        keys: members.slice(start, start + MAX_SERIES)
      });
    }
  }
  return result;
}
