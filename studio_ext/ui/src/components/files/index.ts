/** Files that something keeps: a tree of them, and what is in each, shown without executing anything. */
export * from './FileBrowser';
export * from './NotebookView';
export * from './Preview';
export * from './TextOf';
export * from './fileTree';
export * from './previewKinds';
export * from './source';
