/** How numbers, durations, sizes and times read; pure functions of a value. */
import type { MetricValue } from '../api';

const NOT_FINITE: { [text: string]: string } = {
  NaN: 'NaN',
  Infinity: '∞',
  '-Infinity': '−∞'
};

/** The number behind a metric as JSON carries it. */
export function toNumber(value: MetricValue): number {
  return typeof value === 'number' ? value : Number(value);
}

/** Four significant digits; the digits before the point are all kept below 10 million. */
export function formatNumber(value: MetricValue): string {
  const number = toNumber(value);
  if (!Number.isFinite(number)) {
    return NOT_FINITE[String(number)];
  }
  if (Number.isInteger(number) && Math.abs(number) < 1e7) {
    return String(number).replace('-', '−');
  }
  const size = Math.abs(number);
  if (size >= 1e3 && size < 1e7) {
    return number.toFixed(0).replace('-', '−');
  }
  const text =
    size >= 1e-4 && size < 1e3
      ? String(Number(number.toPrecision(4)))
      : number.toExponential(3).replace('e+', 'e');
  return padDigits(text, size).replace(/-/g, '−');
}

/** Bring back the zeros at the end that `String` drops, so that columns of numbers align. */
function padDigits(text: string, size: number): string {
  if (size < 1e-4 || size >= 1e3 || text.includes('e')) {
    return text;
  }
  const exponent = Math.floor(Math.log10(Math.abs(Number(text))));
  return Number(text).toFixed(Math.min(20, 3 - exponent));
}

/** Every digit of a number, for the hover. */
export function formatExact(value: MetricValue): string {
  const number = toNumber(value);
  return Number.isFinite(number) ? String(number) : NOT_FINITE[String(number)];
}

/** `1 m 32 s`, from milliseconds; the two largest units. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 0) {
    return '0 s';
  }
  if (milliseconds < 1000) {
    return `${Math.round(milliseconds)} ms`;
  }
  if (milliseconds < 10_000) {
    return `${(Math.floor(milliseconds / 100) / 10).toFixed(1)} s`;
  }
  const seconds = Math.floor(milliseconds / 1000);
  const units: [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'm'],
    [1, 's']
  ];
  const first = units.findIndex(([size]) => seconds >= size);
  const [size, unit] = units[first];
  const parts = [`${Math.floor(seconds / size)} ${unit}`];
  const second = units[first + 1];
  const rest = second ? Math.floor((seconds % size) / second[0]) : 0;
  if (second && rest > 0) {
    parts.push(`${rest} ${second[1]}`);
  }
  return parts.join(' ');
}

/** A latency in milliseconds, with the digits that matter. */
export function formatLatency(milliseconds: number): string {
  return milliseconds < 100
    ? `${Number(milliseconds.toPrecision(3))} ms`
    : formatDuration(milliseconds);
}

/** `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const text = unit === 0 || size >= 100 ? size.toFixed(0) : size.toFixed(1);
  return `${text} ${units[unit]}`;
}

/** `5m ago`, in the language of the browser or the one given. */
export function formatRelative(
  time: number,
  now: number,
  language?: string
): string {
  const format = new Intl.RelativeTimeFormat(language, {
    numeric: 'auto',
    style: 'narrow'
  });
  const seconds = Math.round((time - now) / 1000);
  const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ['year', 31_536_000],
    ['month', 2_592_000],
    ['week', 604_800],
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60]
  ];
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) {
      return format.format(Math.trunc(seconds / size), unit);
    }
  }
  return Math.abs(seconds) < 10
    ? format.format(0, 'second')
    : format.format(seconds, 'second');
}

/** The date and the time of day, in the language and the time zone of the browser. */
export function formatAbsolute(time: number, language?: string): string {
  return new Intl.DateTimeFormat(language, {
    dateStyle: 'medium',
    timeStyle: 'medium'
  }).format(time);
}

/** A cell of a table of data: text as it is, null as such, objects as JSON. */
export function formatCell(value: unknown): string {
  if (value === null || value === undefined) {
    return '—';
  }
  if (typeof value === 'number') {
    return formatNumber(value);
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A count with thousands separators. */
export function formatCount(count: number): string {
  return count.toLocaleString('en');
}
