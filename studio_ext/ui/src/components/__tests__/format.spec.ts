/** How values read. */
import {
  formatBytes,
  formatCell,
  formatDuration,
  formatExact,
  formatLatency,
  formatNumber,
  formatRelative
} from '../format';

describe('formatNumber', () => {
  it.each([
    [0.92345678, '0.9235'],
    [0.92, '0.9200'],
    [12.3456, '12.35'],
    [-0.5, '−0.5000'],
    [12345.678, '12346'],
    [42, '42'],
    [-7, '−7'],
    [0, '0'],
    [1234567, '1234567'],
    [1.23456e-9, '1.235e−9'],
    [123456789012, '1.235e11'],
    [0.99999, '1.000']
  ])('writes %p as %p', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('shows what is not finite as such', () => {
    expect(formatNumber('NaN')).toBe('NaN');
    expect(formatNumber('Infinity')).toBe('∞');
    expect(formatNumber('-Infinity')).toBe('−∞');
    expect(formatNumber(NaN)).toBe('NaN');
  });

  it('leaves every digit to the hover', () => {
    expect(formatExact(0.92345678)).toBe('0.92345678');
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [431, '431 ms'],
    [1250, '1.2 s'],
    [59_999, '59 s'],
    [92_000, '1 m 32 s'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 m'],
    [200_000_000, '2 d 7 h'],
    [-5, '0 s']
  ])('writes %p ms as %p', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it('keeps the digits of a latency', () => {
    expect(formatLatency(3.14159)).toBe('3.14 ms');
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1_572_864, '1.5 MiB'],
    [524_288_000, '500 MiB']
  ])('writes %p as %p', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('formatRelative', () => {
  const now = Date.UTC(2026, 0, 2);

  it.each([
    [now - 2000, 'now'],
    [now - 30_000, '30s ago'],
    [now - 5 * 60_000, '5m ago'],
    [now - 3 * 3_600_000, '3h ago'],
    [now - 24 * 3_600_000, 'yesterday']
  ])('writes %p as %p', (time, text) => {
    // Versions of Unicode's data differ in how they shorten minutes.
    const relative = formatRelative(time, now, 'en').replace(/ ?min\.?/, 'm');
    expect(relative).toBe(text);
  });
});

describe('formatCell', () => {
  it('shows a missing value and nested ones', () => {
    expect(formatCell(null)).toBe('—');
    expect(formatCell({ a: 1 })).toBe('{"a":1}');
    expect(formatCell('text')).toBe('text');
  });
});
