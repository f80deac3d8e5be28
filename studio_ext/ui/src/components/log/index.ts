/** What something prints, as it prints it: followed, searched, downloaded, of any length. */
export * from './LogPanel';
export * from './ansi';
export * from './source';
export * from './useLog';
