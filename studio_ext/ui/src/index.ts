/** Atelier in JupyterLab: the frame, and one plugin for each capability. */
import experiments from './experiments/plugin';
import frame from './frame/plugin';
import home from './home/plugin';
import hosting from './hosting/plugin';
import jobs from './jobs/plugin';
import start from './jobs/start/plugin';
import registry from './registry/plugin';
import resources from './resources/plugin';
import wrangler from './wrangler/plugin';

export { IStudio } from './frame/tokens';
export default [
  frame,
  home,
  wrangler,
  experiments,
  jobs,
  start,
  registry,
  hosting,
  resources
];
