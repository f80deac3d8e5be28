/** What the rooms use of the frame. */
export * from './context';
export * from './entrance';
export * from './icons';
export * from './links';
export * from './live';
export * from './resource';
export * from './tokens';
