/** Atelier's own icons, drawn in the colours of the theme. */
import { LabIcon } from '@jupyterlab/ui-components';

const draw = (name: string, body: string) =>
  new LabIcon({
    name: `atelier:${name}`,
    svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">${body}</svg>`
  });

/** The studio: an easel. */
export const atelierIcon = draw(
  'mark',
  '<g class="jp-icon3" fill="#616161"><path d="M11 1.5h2V4h6.5v11.2H15l2.9 7h-2.2l-2.9-7h-1.6l-2.9 7H6.100l2.9-7H4.500V4H11zM6.500 6v7.200h11V6z"/><path d="M8 12l2.400-3.400 1.900 2.100L14.600 7.500 16 12z"/></g>'
);

export const homeIcon = draw(
  'home',
  '<path class="jp-icon3" fill="#616161" d="M12 3.200 2.500 11.400l1.300 1.500L5 11.900V20h5.500v-5h3v5H19v-8.100l1.200 1 1.300-1.500zM12 5.800l5 4.300V18h-1.500v-5h-7v5H7v-7.900z"/>'
);

export const experimentsIcon = draw(
  'experiments',
  '<path class="jp-icon3" fill="#616161" d="M8.500 3h7v2H14.500v4.600l5 8.600c.8 1.300-.2 2.800-1.600 2.800H6.100c-1.400 0-2.400-1.500-1.600-2.800l5-8.600V5H8.500zm3 2v5.100L9.300 14h5.400l-2.200-3.900V5zM8.100 16l-1.700 3h11.200l-1.700-3z"/>'
);

export const runIcon = draw(
  'run',
  '<path class="jp-icon3" fill="#616161" d="M3 3h2v16h16v2H3zm4.300 12.700-1.400-1.400 4.600-5.100 3.500 3.200L19.300 6l1.500 1.300-6.700 7.900-3.500-3.200z"/>'
);

export const jobsIcon = draw(
  'jobs',
  '<path class="jp-icon3" fill="#616161" d="M3 5h12v4H3zm1.800 1.600v.8h8.400v-.8zM7 10.500h14v4H7zm1.800 1.600v.8h10.400v-.8zM5 16h11v4H5zm1.800 1.600v.8h7.400v-.8z"/>'
);

export const modelsIcon = draw(
  'models',
  '<path class="jp-icon3" fill="#616161" d="M12 2 3 6.800v10.400L12 22l9-4.800V6.800zm0 2.300 5.700 3L12 10.300l-5.700-3zM5 9l6 3.100v6.900l-6-3.200zm8 10v-6.900L19 9v6.800z"/>'
);

export const endpointsIcon = draw(
  'endpoints',
  '<path class="jp-icon3" fill="#616161" d="M4 4h16v7H4zm2 2v3h12V6zm1 .7h1.600v1.600H7zM4 13h16v7H4zm2 2v3h12v-3zm1 .7h1.600v1.600H7z"/>'
);

export const wranglerIcon = draw(
  'wrangler',
  '<path class="jp-icon3" fill="#616161" d="M3 4h18v16H3zm2 2v3h4V6zm6 0v3h8V6zM5 11v3h4v-3zm6 0v3h8v-3zM5 16v2h4v-2zm6 0v2h8v-2z"/>'
);

export const resourcesIcon = draw(
  'resources',
  '<path class="jp-icon3" fill="#616161" d="M8 2h2v3h4V2h2v3h3v3h3v2h-3v4h3v2h-3v3h-3v3h-2v-3h-4v3H8v-3H5v-3H2v-2h3v-4H2V8h3V5h3zM7 7v10h10V7zm2.500 2.500h5v5h-5z"/>'
);

export const datasetIcon = draw(
  'dataset',
  '<path class="jp-icon3" fill="#616161" d="M4 4h16v16H4zm2 2v3h5V6zm7 0v3h5V6zm-7 5v3h5v-3zm7 0v3h5v-3zm-7 5v2h5v-2zm7 0v2h5v-2z"/>'
);

export const quickstartIcon = draw(
  'quickstart',
  '<path class="jp-icon3" fill="#616161" d="M13 2 5 13.500h5.500L9.500 22 19 9.700h-6.300z"/>'
);
