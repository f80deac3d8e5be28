/** The part of a log that is in memory: lines next to each other, never more than a few pages; nothing is drawn here. */
import type { LogPage } from '../../api';

export interface ILogLine {
  /** Where it begins, in bytes of the whole log. */
  offset: number;
  text: string;
}

export interface ILogWindow {
  /** The offsets of the first byte of the window, and of the byte after it. */
  start: number;
  end: number;
  /** The offset of the first byte that is kept, and of the end of the log. */
  first: number;
  size: number;
  lines: ILogLine[];
  /** Whether the last line goes on after `end`. */
  isOpen: boolean;
}

/** Bytes that one request fetches. */
export const PAGE_BYTES = 128 * 1024;
/** Bytes that a window holds at most, but for one line at its edge. */
export const WINDOW_BYTES = 4 * PAGE_BYTES;
/** Characters of a line; one that is longer is broken. */
export const MAX_LINE = 64 * 1024;

export function windowOfPage(page: LogPage): ILogWindow {
  const lines = page.lines.map((text, index) => ({
    offset: page.offsets[index],
    text
  }));
  const { start, end, first, size } = page;
  return { start, end, first, size, lines, isOpen: page.is_open };
}

/** The window with the page that follows it; if something is missing between them, the page alone. */
export function appendPage(
  known: ILogWindow,
  page: LogPage,
  limit = WINDOW_BYTES
): ILogWindow {
  const next = windowOfPage(page);
  if (page.start !== known.end) {
    return next;
  }
  if (page.end === page.start) {
    return { ...known, first: page.first, size: page.size };
  }
  const lines = joinLines(known.lines, next.lines, known.isOpen);
  return trimStart({ ...next, start: known.start, lines }, limit);
}

/** The window with the page before it; if something is missing between them, the page alone. */
export function prependPage(
  known: ILogWindow,
  page: LogPage,
  limit = WINDOW_BYTES
): ILogWindow {
  const next = windowOfPage(page);
  if (page.end !== known.start) {
    return next;
  }
  const lines = joinLines(next.lines, known.lines, next.isOpen);
  return trimEnd(
    { ...next, lines, end: known.end, isOpen: known.isOpen },
    limit
  );
}

/** The index of the line that an offset lies in; -1 if it is not in the window. */
export function lineAt(known: ILogWindow, offset: number): number {
  const { lines } = known;
  if (
    lines.length === 0 ||
    offset < lines[0].offset ||
    offset >= Math.max(known.end, lines[lines.length - 1].offset + 1)
  ) {
    return -1;
  }
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (lines[middle].offset <= offset) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

function joinLines(
  before: ILogLine[],
  after: ILogLine[],
  isOpen: boolean
): ILogLine[] {
  const last = before[before.length - 1];
  const next = after[0];
  if (
    !isOpen ||
    !last ||
    !next ||
    last.text.length + next.text.length > MAX_LINE
  ) {
    return [...before, ...after];
  }
  const joined = { offset: last.offset, text: last.text + next.text };
  return [...before.slice(0, -1), joined, ...after.slice(1)];
}

function trimStart(known: ILogWindow, limit: number): ILogWindow {
  const { lines, end } = known;
  const kept = lines.findIndex(({ offset }) => end - offset <= limit);
  const from = kept < 0 ? lines.length - 1 : kept;
  return from <= 0
    ? known
    : { ...known, lines: lines.slice(from), start: lines[from].offset };
}

function trimEnd(known: ILogWindow, limit: number): ILogWindow {
  const { lines, start } = known;
  const over = lines.findIndex(({ offset }) => offset - start > limit);
  return over <= 0
    ? known
    : {
        ...known,
        lines: lines.slice(0, over),
        end: lines[over].offset,
        isOpen: false
      };
}
