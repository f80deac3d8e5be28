/** What a model answered, as a table for another program. */
import type { InvocationReply } from '../api';

/** All rows: the prediction, and the probability of each class where there are any. */
export function asCsv(reply: InvocationReply): string {
  const { predictions, probabilities, classes } = reply;
  const names = probabilities?.length
    ? (classes ?? probabilities[0].map((_, place) => place))
    : [];
  const lines: unknown[][] = [
    ['prediction', ...names.map(name => `probability_${String(name)}`)],
    ...predictions.map((prediction, row) => [
      prediction,
      ...(names.length ? (probabilities?.[row] ?? []) : [])
    ])
  ];
  return lines.map(line => `${line.map(cellOf).join(',')}\n`).join('');
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  const text =
    typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
