/** The HTTP API of Atelier's server, typed. */
export * from './client';
export * from './errors';
export * from './types';
export * from './version';
