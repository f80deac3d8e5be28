/** Plotly figures in the colours and the type of JupyterLab's theme; nothing is drawn here. */

/** A figure as the server sends it. */
export interface IFigure {
  data: object[];
  layout: { [key: string]: unknown };
}

/** What a figure takes from the theme. */
export interface IFigureTheme {
  isDark: boolean;
  font: string;
  fontSize: number;
  text: string;
  muted: string;
  grid: string;
  background: string;
}

type Layout = { [key: string]: unknown };

/**
 * Okabe and Ito's colours, which people of every colour vision tell apart, in the order of the library's templates;
 * the text of the theme stands for black.
 */
const LIGHT_COLORS = [
  '#0072B2',
  '#D55E00',
  '#009E73',
  '#E69F00',
  '#CC79A7',
  '#56B4E9'
];
const DARK_COLORS = [
  '#56B4E9',
  '#E69F00',
  '#009E73',
  '#F0E442',
  '#CC79A7',
  '#D55E00'
];

/** The colours that the library gives to the series of a figure, on a light ground and on a dark one. */
const SERIES: [light: string, dark: string][] = [
  ['#0072B2', '#56B4E9'],
  ['#D55E00', '#E69F00'],
  ['#009E73', '#009E73'],
  ['#E69F00', '#F0E442'],
  ['#CC79A7', '#CC79A7'],
  ['#56B4E9', '#D55E00'],
  ['#000000', '#F2F2F2'],
  ['#F0E442', '#0072B2']
];
const GREY = '#8A8A8A';

/** The colour of the run at a place of a comparison, as the library's figures have it: grey from the ninth on. */
export function seriesColor(place: number, isDark: boolean): string {
  return SERIES[place]?.[isDark ? 1 : 0] ?? GREY;
}

/** Traces with the colours of the series as a dark ground needs them; on a light one they stay as they are. */
export function themeData(data: object[], theme: IFigureTheme): object[] {
  const change = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      return value.map(change);
    }
    const pair = SERIES.find(([light]) => light === value);
    return pair ? pair[1] : value;
  };
  const paint = (part: unknown): Layout => {
    const painted = { ...record(part) };
    for (const name of ['color', 'line']) {
      if (name in painted) {
        painted[name] =
          name === 'line' ? paint(painted.line) : change(painted.color);
      }
    }
    return painted;
  };
  return data.map(trace => {
    const parts = record(trace);
    const painted: Layout = { ...parts };
    for (const name of ['line', 'marker']) {
      if (theme.isDark && name in parts) {
        painted[name] = paint(parts[name]);
      }
    }
    return painted;
  });
}

/** Read the theme from the CSS variables that hold at an element. */
export function readTheme(element: HTMLElement): IFigureTheme {
  const style = getComputedStyle(element);
  const read = (name: string, fallback: string) =>
    style.getPropertyValue(name).trim() || fallback;
  return {
    isDark: document.body.dataset.jpThemeLight === 'false',
    font: read('--jp-ui-font-family', 'sans-serif'),
    fontSize: parseFloat(read('--jp-ui-font-size1', '13px')) || 13,
    text: read('--jp-ui-font-color1', 'currentColor'),
    muted: read('--jp-ui-font-color2', 'currentColor'),
    grid: read('--jp-border-color2', 'transparent'),
    background: read('--jp-layout-color1', 'transparent')
  };
}

/** The figure's layout with the theme laid over it; the figure stays as it is. */
export function themeLayout(
  figure: IFigure,
  theme: IFigureTheme,
  title?: string
): Layout {
  const { width, height, title: ownTitle, ...layout } = figure.layout;
  const themed: Layout = {
    ...layout,
    autosize: true,
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    colorway: [...(theme.isDark ? DARK_COLORS : LIGHT_COLORS), theme.text],
    colorscale: {
      sequential: 'Cividis',
      sequentialminus: 'Cividis',
      ...record(layout.colorscale)
    },
    font: {
      ...record(layout.font),
      family: theme.font,
      size: theme.fontSize - 1,
      color: theme.text
    },
    hoverlabel: {
      ...record(layout.hoverlabel),
      bgcolor: theme.background,
      bordercolor: theme.muted,
      font: { color: theme.text, family: theme.font }
    },
    legend: {
      orientation: 'h',
      x: 0,
      xanchor: 'left',
      y: 1.02,
      yanchor: 'bottom',
      ...record(layout.legend),
      bgcolor: 'rgba(0,0,0,0)'
    },
    margin: { l: 60, r: 16, t: 36, b: 44 }
  };
  for (const key of ['xaxis', 'yaxis', ...Object.keys(layout)]) {
    if (/^[xy]axis\d*$/.test(key)) {
      themed[key] = themeAxis(record(layout[key]), theme);
    }
  }
  if (Array.isArray(layout.annotations)) {
    themed.annotations = layout.annotations.map(annotation =>
      'bgcolor' in record(annotation)
        ? { ...record(annotation), bgcolor: theme.background }
        : (annotation as unknown)
    );
  }
  if (ownTitle && !title) {
    themed.title = ownTitle;
    themed.margin = { l: 60, r: 16, t: 56, b: 44 };
  }
  return themed;
}

function themeAxis(axis: Layout, theme: IFigureTheme): Layout {
  return {
    ...axis,
    automargin: true,
    gridcolor: theme.grid,
    linecolor: theme.muted,
    zerolinecolor: theme.grid,
    tickcolor: theme.muted,
    title: axisTitle(axis.title, theme),
    tickfont: {
      ...record(axis.tickfont),
      size: theme.fontSize - 1,
      color: theme.text
    }
  };
}

function axisTitle(title: unknown, theme: IFigureTheme): Layout {
  const whole = typeof title === 'string' ? { text: title } : record(title);
  const font = { size: theme.fontSize - 1, color: theme.text };
  return { ...whole, font: { ...record(whole.font), ...font } };
}

function record(value: unknown): Layout {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Layout)
    : {};
}

/** Whether a value is a figure. */
export function isFigure(value: unknown): value is IFigure {
  const { data, layout } = record(value);
  return Array.isArray(data) && typeof layout === 'object' && layout !== null;
}
