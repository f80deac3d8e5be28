/** How cells and column headers are painted: values by their kind, and a chart of what is in the column. */
import { CellRenderer, GraphicsContext, TextRenderer } from '@lumino/datagrid';

import type { GridModel, IGridColumn, IProfile } from './model';

/** The colours and the font of the theme. */
export interface IPalette {
  font: string;
  text: string;
  muted: string;
  line: string;
  accent: string;
  bar: string;
  good: string;
  warn: string;
  bad: string;
  changed: string;
}

export const HEADER_HEIGHT = 88;

const CHART_TOP = 44;
const CHART_HEIGHT = 36;
const PADDING = 6;

const SIGNS: { [kind: string]: string } = {
  number: '#',
  string: 'Aa',
  boolean: '⊤',
  datetime: '◷',
  date: '◷',
  time: '◷',
  list: '[ ]',
  struct: '{ }'
};

/** Paints the cells of the body. */
export class BodyRenderer extends TextRenderer {
  constructor(
    private readonly _model: GridModel,
    private readonly _palette: IPalette
  ) {
    super({ font: _palette.font, textColor: _palette.text });
  }

  drawBackground(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    if (this._model.note(config.row, config.column).isChanged) {
      gc.fillStyle = this._palette.changed;
      gc.fillRect(config.x, config.y, config.width, config.height);
      return;
    }
    super.drawBackground(gc, config);
  }

  drawText(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const note = this._model.note(config.row, config.column);
    const isNumber = note.kind === 'number';
    const text = note.isMissing ? 'null' : String(config.value ?? '');
    if (note.isLoading) {
      gc.fillStyle = this._palette.line;
      gc.fillRect(config.x + PADDING, config.y + 8, config.width / 2, 6);
      return;
    }
    gc.font = this._palette.font;
    gc.fillStyle = note.isMissing ? this._palette.muted : this._palette.text;
    gc.textBaseline = 'middle';
    gc.textAlign = isNumber ? 'right' : 'left';
    const x = isNumber ? config.x + config.width - PADDING : config.x + PADDING;
    gc.save();
    gc.beginPath();
    gc.rect(config.x, config.y, config.width, config.height);
    gc.clip();
    gc.fillText(text, x, config.y + config.height / 2 + 1);
    gc.restore();
  }
}

/** Paints the header of a column: its name and kind, how much is missing, and its values. */
export class HeaderRenderer extends CellRenderer {
  constructor(
    private readonly _columns: IGridColumn[],
    private readonly _profiles: Map<string, IProfile>,
    private readonly _palette: IPalette,
    private readonly _sortOf: (column: string) => 'up' | 'down' | null
  ) {
    super();
  }

  paint(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const column = this._columns[config.column];
    const palette = this._palette;
    const { x, y, width } = config;
    gc.save();
    gc.beginPath();
    gc.rect(x, y, width - 1, config.height);
    gc.clip();
    gc.textBaseline = 'middle';
    gc.textAlign = 'left';
    gc.font = palette.font;
    gc.fillStyle = palette.muted;
    const sign = SIGNS[column.kind] ?? '·';
    gc.fillText(sign, x + PADDING, y + 12);
    gc.fillStyle = palette.text;
    gc.font = `600 ${palette.font}`;
    gc.fillText(column.name, x + PADDING + 22, y + 12);
    const sort = this._sortOf(column.name);
    if (sort) {
      gc.textAlign = 'right';
      gc.fillText(sort === 'up' ? '▲' : '▼', x + width - PADDING, y + 12);
      gc.textAlign = 'left';
    }
    const profile = this._profiles.get(column.name);
    if (profile) {
      this._paintProfile(gc, profile, x + PADDING, y, width - 2 * PADDING);
    }
    gc.restore();
  }

  private _paintProfile(
    gc: GraphicsContext,
    profile: IProfile,
    x: number,
    y: number,
    width: number
  ): void {
    const palette = this._palette;
    const total = Math.max(profile.n, 1);
    const missing = (profile.missing / total) * width;
    const invalid = (profile.invalid / total) * width;
    gc.fillStyle = palette.good;
    gc.fillRect(x, y + 22, width, 3);
    gc.fillStyle = palette.warn;
    gc.fillRect(x + width - missing - invalid, y + 22, invalid, 3);
    gc.fillStyle = palette.bad;
    gc.fillRect(x + width - missing, y + 22, missing, 3);
    gc.font = palette.font;
    gc.fillStyle = palette.muted;
    const share = (100 * profile.missing) / total;
    const mark = profile.approximate ? '≈ ' : '';
    const facts =
      profile.missing > 0
        ? `${mark}${share < 0.1 ? '<0.1' : share.toPrecision(2)} % missing`
        : `${mark}${profile.distinct.toLocaleString('en')} distinct`;
    gc.fillText(facts, x, y + 35);
    const bars = barsOf(profile);
    const most = Math.max(...bars.map(bar => bar.count), 1);
    const step = width / Math.max(bars.length, 1);
    gc.fillStyle = palette.bar;
    bars.forEach((bar, index) => {
      const height = Math.max(
        bar.count > 0 ? 1 : 0,
        (bar.count / most) * CHART_HEIGHT
      );
      gc.fillRect(
        x + index * step,
        y + CHART_TOP + CHART_HEIGHT - height,
        Math.max(step - 1, 1),
        height
      );
    });
  }
}

/** One bar of the chart in a header: what it counts. */
export interface IBar {
  label: string;
  count: number;
  /** The rows that it stands for. */
  filter: { operator: 'between' | '='; value: unknown };
}

export function barsOf(profile: IProfile): IBar[] {
  if (profile.histogram) {
    const { edges, counts } = profile.histogram;
    return counts.map((count, index) => {
      // The last bin holds its upper edge too; a filter leaves the upper end out.
      const isLast = index === counts.length - 1;
      const high =
        isLast && typeof edges[index + 1] === 'number'
          ? (edges[index + 1] as number) +
            Math.max(Math.abs(edges[index + 1] as number) * 1e-12, 1e-12)
          : edges[index + 1];
      return {
        label: `${String(edges[index])} … ${String(edges[index + 1])}`,
        count,
        filter: { operator: 'between', value: [edges[index], high] }
      };
    });
  }
  return profile.top.map(({ value, count }) => ({
    label: String(value),
    count,
    filter: { operator: '=', value }
  }));
}

/** The bar below a point of a header; null where there is none. */
export function barAt(
  profile: IProfile | undefined,
  x: number,
  y: number,
  width: number
): IBar | null {
  if (!profile || y < CHART_TOP) {
    return null;
  }
  const bars = barsOf(profile);
  const step = (width - 2 * PADDING) / Math.max(bars.length, 1);
  return bars[Math.floor((x - PADDING) / step)] ?? null;
}
