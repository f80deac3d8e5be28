/** Names and values below each other: parameters, tags, metrics, libraries. */
import * as React from 'react';

import type { MetricValue } from '../api';
import { formatExact, formatNumber } from './format';

export interface IFact {
  name: string;
  value: React.ReactNode;
  title?: string;
  isNumber?: boolean;
}

export function FactTable(props: {
  caption: string;
  facts: IFact[];
  empty: string;
}): React.ReactElement {
  return (
    <section className="atelier-FactTable">
      <h2>{props.caption}</h2>
      {props.facts.length === 0 ? (
        <p className="atelier-muted">{props.empty}</p>
      ) : (
        <table aria-label={props.caption}>
          <tbody>
            {props.facts.map(fact => (
              <tr key={fact.name}>
                <th scope="row" title={fact.name}>
                  {fact.name}
                </th>
                <td
                  title={fact.title}
                  className={fact.isNumber ? 'atelier-number' : undefined}
                >
                  {fact.value}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** Metrics as facts, in the order of their names. */
export function metricFacts(metrics: { [key: string]: MetricValue }): IFact[] {
  return sortedKeys(metrics).map(name => ({
    name,
    value: formatNumber(metrics[name]),
    title: formatExact(metrics[name]),
    isNumber: true
  }));
}

/** Texts as facts, in the order of their names. */
export function textFacts(texts: { [key: string]: string }): IFact[] {
  return sortedKeys(texts).map(name => ({
    name,
    value: texts[name],
    title: texts[name]
  }));
}

/** The keys in natural order: `layer-2` before `layer-10`. */
export function sortedKeys(record: { [key: string]: unknown }): string[] {
  const collator = new Intl.Collator(undefined, { numeric: true });
  return Object.keys(record).sort(collator.compare);
}
