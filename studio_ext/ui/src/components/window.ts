/** Which rows of a long table are in sight; arithmetic only. */

export interface IWindow {
  /** The first row to draw. */
  start: number;
  /** The row after the last one to draw. */
  end: number;
}

/** Rows drawn above and below what is in sight, so that quick scrolling shows no gap. */
export const OVERSCAN = 10;

/** The rows to draw for a scroll position. */
export function windowOf(
  scrollTop: number,
  viewHeight: number,
  rowHeight: number,
  rowCount: number
): IWindow {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight);
  const visible = Math.ceil(viewHeight / rowHeight) + 1;
  const start = Math.max(0, Math.min(first, rowCount - visible) - OVERSCAN);
  const end = Math.min(rowCount, first + visible + OVERSCAN);
  return { start, end: Math.max(start, end) };
}

/** The scroll position that brings a row into sight with the least movement. */
export function scrollToRow(
  row: number,
  scrollTop: number,
  viewHeight: number,
  rowHeight: number
): number {
  const top = row * rowHeight;
  if (top < scrollTop) {
    return top;
  }
  const bottom = top + rowHeight;
  return bottom > scrollTop + viewHeight ? bottom - viewHeight : scrollTop;
}

/** The row that a key leads to from `row`; null if the key does not move. */
export function rowOfKey(
  key: string,
  row: number,
  rowCount: number,
  rowsPerView: number
): number | null {
  const last = rowCount - 1;
  const clamp = (value: number) => Math.max(0, Math.min(last, value));
  switch (key) {
    case 'ArrowDown':
      return clamp(row + 1);
    case 'ArrowUp':
      return clamp(row - 1);
    case 'PageDown':
      return clamp(row + rowsPerView);
    case 'PageUp':
      return clamp(row - rowsPerView);
    case 'Home':
      return clamp(0);
    case 'End':
      return clamp(last);
    default:
      return null;
  }
}
