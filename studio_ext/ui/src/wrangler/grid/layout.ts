/** Which columns of a table are shown, and in which order; the table itself stays as it is. */
import type { IGridColumn } from './model';

export interface ILayout {
  /** Names in the order in which they are shown; columns that are not named follow. */
  order: string[];
  hidden: string[];
}

export const PLAIN_LAYOUT: ILayout = { order: [], hidden: [] };

/** All columns in the order of a layout, hidden ones too. */
export function inOrder<T extends IGridColumn>(
  columns: T[],
  layout: ILayout
): T[] {
  const place = new Map(layout.order.map((name, index) => [name, index]));
  return columns
    .map((column, index) => ({ column, index }))
    .sort(
      (one, other) =>
        (place.get(one.column.name) ?? layout.order.length + one.index) -
        (place.get(other.column.name) ?? layout.order.length + other.index)
    )
    .map(({ column }) => column);
}

/** The columns that are shown. */
export function shownColumns<T extends IGridColumn>(
  columns: T[],
  layout: ILayout
): T[] {
  const hidden = new Set(layout.hidden);
  return inOrder(columns, layout).filter(({ name }) => !hidden.has(name));
}

/** Move a shown column by some places, past those that are hidden. */
export function moveColumn(
  columns: IGridColumn[],
  layout: ILayout,
  name: string,
  by: number
): ILayout {
  const all = inOrder(columns, layout).map(column => column.name);
  const shown = shownColumns(columns, layout).map(column => column.name);
  const place = shown.indexOf(name);
  const target =
    shown[Math.min(Math.max(place + by, 0), shown.length - 1)] ?? name;
  if (place < 0 || target === name) {
    return layout;
  }
  const order = all.filter(one => one !== name);
  order.splice(order.indexOf(target) + (by > 0 ? 1 : 0), 0, name);
  return { ...layout, order };
}

export function hideColumn(layout: ILayout, name: string): ILayout {
  return layout.hidden.includes(name)
    ? layout
    : { ...layout, hidden: [...layout.hidden, name] };
}

export function showColumn(layout: ILayout, name: string): ILayout {
  return { ...layout, hidden: layout.hidden.filter(one => one !== name) };
}
