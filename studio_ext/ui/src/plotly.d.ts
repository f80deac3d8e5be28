/** The part of Plotly's strict bundle that Atelier draws with. */
declare module 'plotly.js-strict-dist-min' {
  export interface IPlotlyConfig {
    displayModeBar?: boolean;
    responsive?: boolean;
    displaylogo?: boolean;
  }

  export interface IImageOptions {
    format: 'png' | 'svg';
    width: number;
    height: number;
    scale?: number;
  }

  /** The element that a figure is drawn in. */
  export interface IPlotlyElement extends HTMLElement {
    on?(
      event: 'plotly_hover' | 'plotly_unhover',
      listener: (event: { points: { curveNumber: number }[] }) => void
    ): void;
    removeAllListeners?(event: string): void;
  }

  export function react(
    root: HTMLElement,
    data: object[],
    layout: object,
    config?: IPlotlyConfig
  ): Promise<void>;
  export function restyle(
    root: HTMLElement,
    change: { [attribute: string]: unknown },
    traces: number[]
  ): Promise<void>;
  export function relayout(
    root: HTMLElement,
    change: { [attribute: string]: unknown }
  ): Promise<void>;
  export function purge(root: HTMLElement): void;
  export function toImage(
    root: HTMLElement,
    options: IImageOptions
  ): Promise<string>;
  export const Fx: {
    hover(
      root: HTMLElement,
      event: { xval: unknown },
      subplots: string[]
    ): void;
    unhover(root: HTMLElement): void;
  };
}
