/** Files: a tree of folders, and what is in the selected file. */
import * as React from 'react';

import {
  ErrorBar,
  IColumn,
  InputField,
  List,
  Time,
  formatBytes,
  timeWidth
} from '..';
import { useStudio } from '../../frame';
import { Preview } from './Preview';
import { TreeRow, baseName, treeRows } from './fileTree';
import type { IFileSource } from './source';
import { IFiles, useFiles } from './useFiles';

const SEARCHED_FROM = 8;

export function FileBrowser(props: {
  source: IFileSource;
  /** How many files there are, as far as is known. */
  count: number;
  /** Changes when there are other files. */
  version: string;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { source, count, version } = props;
  const [search, setSearch] = React.useState('');
  const [selected, setSelected] = React.useState<string | null>(null);
  const files = useFiles(source, search.trim(), version);
  const rows = treeRows(files.folders, files.open);
  const current =
    rows.find(({ id }) => id === selected) ??
    rows.find(({ kind }) => kind === 'file') ??
    null;
  const isFlat = search.trim() !== '';
  const columns = React.useMemo(
    () => fileColumns(studio, files, isFlat),
    [studio, studio.settings, files.open, files.folders, isFlat]
  );
  const open = (row: TreeRow) => {
    if (row.kind === 'folder') {
      files.toggle(row.folder.path);
    } else if (row.kind === 'more') {
      files.loadMore(row.parent);
    } else {
      setSelected(row.id);
    }
  };
  return (
    <div className="atelier-Artifacts">
      <div className="atelier-Artifacts-tree">
        {count > SEARCHED_FROM && (
          <InputField
            label={trans.__('Search files')}
            value={search}
            onChange={setSearch}
          />
        )}
        <ErrorBar error={files.error} />
        <List
          label={trans.__('Files')}
          items={rows}
          columns={columns}
          identify={({ id }) => id}
          selected={current?.id ?? null}
          onSelect={row => row && setSelected(row.id)}
          onOpen={open}
        />
      </div>
      {current?.kind === 'file' ? (
        <Preview
          key={`${current.file.path}/${current.file.sha256}/${current.file.created_at}`}
          source={source}
          artifact={current.file}
        />
      ) : (
        <section className="atelier-Preview">
          {current?.kind === 'folder' && (
            <>
              <h2>{current.folder.path}</h2>
              <p className="atelier-muted">
                {trans.__(
                  'A folder of %1; Enter opens and closes it.',
                  formatBytes(current.folder.size)
                )}
              </p>
            </>
          )}
        </section>
      )}
    </div>
  );
}

function fileColumns(
  studio: ReturnType<typeof useStudio>,
  files: IFiles,
  isFlat: boolean
): IColumn<TreeRow>[] {
  const { trans } = studio;
  return [
    {
      id: 'path',
      label: trans.__('File'),
      width: 150,
      render: row => <RowName row={row} files={files} isFlat={isFlat} />,
      title: row =>
        row.kind === 'file'
          ? row.file.path
          : row.kind === 'folder'
            ? row.folder.path
            : undefined
    },
    {
      id: 'size',
      label: trans.__('Size'),
      width: 84,
      isNumber: true,
      render: row =>
        row.kind === 'file'
          ? formatBytes(row.file.size)
          : row.kind === 'folder'
            ? formatBytes(row.folder.size)
            : '',
      title: row =>
        row.kind === 'file' ? trans.__('%1 bytes', row.file.size) : undefined
    },
    {
      id: 'created_at',
      label: trans.__('Kept'),
      width: timeWidth(studio.settings),
      render: row =>
        row.kind === 'file' ? <Time value={row.file.created_at} /> : ''
    }
  ];
}

function RowName(props: {
  row: TreeRow;
  files: IFiles;
  isFlat: boolean;
}): React.ReactElement {
  const { trans } = useStudio();
  const { row, files } = props;
  const style = { paddingLeft: row.depth * 16 };
  switch (row.kind) {
    case 'folder': {
      const { path } = row.folder;
      const isOpen = files.open.has(path);
      return (
        <button
          type="button"
          tabIndex={-1}
          className="atelier-TreeName"
          style={style}
          aria-expanded={isOpen}
          onClick={() => files.toggle(path)}
        >
          <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span>
          {baseName(path)}/
        </button>
      );
    }
    case 'file':
      return (
        <span className="atelier-TreeName" style={style}>
          <span aria-hidden="true" />
          {props.isFlat ? row.file.path : baseName(row.file.path)}
        </span>
      );
    case 'more':
      return (
        <button
          type="button"
          tabIndex={-1}
          className="atelier-TreeName"
          style={style}
          onClick={() => files.loadMore(row.parent)}
        >
          {trans.__('Show more…')}
        </button>
      );
    default:
      return (
        <span className="atelier-TreeName atelier-muted" style={style}>
          {trans.__('Loading…')}
        </span>
      );
  }
}
