import type { LogPage } from '../../../api';
import {
  ILogWindow,
  appendPage,
  lineAt,
  prependPage,
  windowOfPage
} from '../logWindow';

const LIMIT = 100;

/** A log of ASCII lines of all lengths. */
function makeLog(count: number): string {
  return Array.from({ length: count }, (_, index) =>
    `${index}:`.padEnd((index * 7) % 31, 'x')
  ).join('\n');
}

/** What the server answers for a range of bytes. */
function pageOf(log: string, start: number, end: number): LogPage {
  const lines = log.slice(start, end).split('\n');
  const isOpen = end > start && log[end - 1] !== '\n';
  if (!isOpen) {
    lines.pop();
  }
  let position = start;
  const offsets = lines.map(line => {
    const offset = position;
    position += line.length + 1;
    return offset;
  });
  const size = log.length;
  return { start, end, first: 0, size, lines, offsets, is_open: isOpen };
}

function expectTrue(log: string, known: ILogWindow): void {
  const text = known.lines.map(line => line.text).join('\n');
  expect(text).toBe(log.slice(known.start, known.end).replace(/\n$/, ''));
  expect(known.isOpen).toBe(
    known.end > known.start && log[known.end - 1] !== '\n'
  );
  known.lines.forEach((line, index) => {
    expect(log.startsWith(line.text, line.offset)).toBe(true);
    expect(lineAt(known, line.offset)).toBe(index);
    expect(lineAt(known, line.offset + Math.max(0, line.text.length - 1))).toBe(
      index
    );
  });
  expect(known.end - known.start).toBeLessThanOrEqual(LIMIT + 64);
}

test.each([1, 5, 17, 33, 64])(
  'a window that grows by %i bytes holds what the log says, and no more than it may',
  step => {
    const log = makeLog(60);
    let known = windowOfPage(pageOf(log, 0, step));
    while (known.end < log.length) {
      const end = Math.min(log.length, known.end + step);
      known = appendPage(known, pageOf(log, known.end, end), LIMIT);
      expectTrue(log, known);
    }
    while (known.start > 0) {
      const wanted = Math.max(0, known.start - step);
      // The server begins a page with a line.
      const cut = log.indexOf('\n', wanted) + 1;
      const start =
        wanted === 0
          ? 0
          : cut > 0 && cut < known.start
            ? cut
            : log.lastIndexOf('\n', known.start - 2) + 1;
      known = prependPage(known, pageOf(log, start, known.start), LIMIT);
      expectTrue(log, known);
    }
    expect(known.start).toBe(0);
  }
);

test('a page that does not follow takes the place of the window', () => {
  const log = makeLog(60);
  const known = windowOfPage(pageOf(log, 0, 40));
  expect(appendPage(known, pageOf(log, 200, 240)).start).toBe(200);
  expect(prependPage(known, pageOf(log, 200, 240)).start).toBe(200);
});

test('nothing new changes only the size', () => {
  const log = makeLog(10);
  const known = windowOfPage(pageOf(log, 0, log.length));
  const grown = { ...pageOf(log, log.length, log.length), size: 500 };
  expect(appendPage(known, grown)).toEqual({ ...known, size: 500 });
  expect(lineAt(known, log.length + 100)).toBe(-1);
});
