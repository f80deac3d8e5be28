/** Figures in the colours of the theme. */
import { act, screen, waitFor } from '@testing-library/react';
import * as React from 'react';

import { Figure } from '../Figure';
import { IFigure, isFigure, themeLayout } from '../theme';
import { makeStudio, renderIn } from './studio';

const react = jest.fn(async () => undefined);
const relayout = jest.fn(async () => undefined);

jest.mock(
  'plotly.js-strict-dist-min',
  () => ({
    react: (...args: []) => react(...args),
    relayout: (...args: []) => relayout(...args),
    purge: jest.fn(),
    toImage: jest.fn()
  }),
  { virtual: true }
);

const THEME = {
  isDark: true,
  font: 'Inter',
  fontSize: 13,
  text: '#eee',
  muted: '#999',
  grid: '#333',
  background: '#111'
};

const FIGURE: IFigure = {
  data: [{ y: [1, 2, 3] }],
  layout: {
    xaxis: { title: { text: 'step' } },
    yaxis2: { overlaying: 'y' },
    width: 400,
    font: { size: 20 }
  }
};

describe('themeLayout', () => {
  const layout = themeLayout(FIGURE, THEME);

  it('takes the colours and the type of the theme', () => {
    expect(layout.font).toMatchObject({ family: 'Inter', color: '#eee' });
    expect(layout.paper_bgcolor).toBe('rgba(0,0,0,0)');
  });

  it('themes every axis and keeps what it says', () => {
    expect(layout.xaxis).toMatchObject({
      title: { text: 'step' },
      gridcolor: '#333'
    });
    expect(layout.yaxis).toMatchObject({ gridcolor: '#333' });
    expect(layout.yaxis2).toMatchObject({
      overlaying: 'y',
      gridcolor: '#333'
    });
  });

  it('fits the place instead of the size of the figure', () => {
    expect(layout.width).toBeUndefined();
    expect(layout.autosize).toBe(true);
  });

  it('leaves the figure as it is', () => {
    expect(FIGURE.layout.font).toEqual({ size: 20 });
  });
});

describe('isFigure', () => {
  it('knows figures from other JSON', () => {
    expect(isFigure(FIGURE)).toBe(true);
    expect(isFigure({ data: [] })).toBe(false);
    expect(isFigure([1, 2])).toBe(false);
    expect(isFigure(null)).toBe(false);
  });
});

describe('Figure', () => {
  let resized: () => void = () => undefined;
  class Observer {
    constructor(listener: () => void) {
      resized = listener;
    }
    observe() {
      /* the test says when */
    }
    disconnect() {
      /* the test says when */
    }
  }

  beforeAll(() => {
    Object.assign(globalThis, { ResizeObserver: Observer });
  });

  beforeEach(() => react.mockClear());

  it('keeps its place while it is loading', () => {
    renderIn(makeStudio(), <Figure title="loss" figure={null} height={200} />);
    const figure = screen.getByRole('figure', { name: 'loss' });
    expect(figure.getAttribute('aria-busy')).toBe('true');
    const plot = figure.querySelector<HTMLElement>('.atelier-Figure-plot');
    expect(plot?.style.height).toBe('200px');
    expect(react).not.toHaveBeenCalled();
  });

  it('draws, and draws again when the theme changes', async () => {
    const studio = makeStudio();
    renderIn(studio, <Figure title="loss" figure={FIGURE} />);
    await waitFor(() => expect(react).toHaveBeenCalledTimes(1));
    act(() => studio.changeTheme());
    await waitFor(() => expect(react).toHaveBeenCalledTimes(2));
    expect(screen.getByRole('figure').getAttribute('aria-busy')).toBe('false');
  });

  it('fits its place once that has another size, even after a failure', async () => {
    renderIn(makeStudio(), <Figure title="loss" figure={FIGURE} />);
    await waitFor(() => expect(react).toHaveBeenCalledTimes(1));
    const plot = document.querySelector<HTMLElement>('.atelier-Figure-plot')!;
    const width = jest.spyOn(plot, 'clientWidth', 'get').mockReturnValue(640);
    jest.spyOn(plot, 'clientHeight', 'get').mockReturnValue(280);
    relayout.mockRejectedValueOnce(new Error('no room'));
    act(() => resized());
    await waitFor(() => expect(react).toHaveBeenCalledTimes(2));
    const drawings = react.mock.calls as unknown as [object, object, object][];
    expect(drawings[1][2]).toMatchObject({ width: 640, height: 280 });
    act(() => resized());
    width.mockReturnValue(320);
    act(() => resized());
    await waitFor(() => expect(relayout).toHaveBeenCalledTimes(2));
    expect(relayout).toHaveBeenLastCalledWith(plot, {
      width: 320,
      height: 280
    });
  });
});
