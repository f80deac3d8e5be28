/** The pure parts of a run's page. */
import type { ArtifactRecord, NestedRun } from '../../api';
import { readSchema } from '../Datasets';
import { visibleRows } from '../NestedRuns';
import { readNotebook } from '../../components/files/NotebookView';
import { artifactCode } from '../runCalls';
import { findLines } from '../RunLog';
import { readPackages } from '../RunSource';
import {
  IFolder,
  extendFolder,
  treeRows
} from '../../components/files/fileTree';
import { languageOf, previewKind } from '../../components/files/previewKinds';

const file = (path: string, media_type = '', size = 10): ArtifactRecord => ({
  path,
  media_type,
  size,
  sha256: '',
  created_at: 0
});

describe('previewKind', () => {
  const cases: [string, string, string][] = [
    ['a/roc.plotly.json', 'application/json', 'figure'],
    ['a.svg', 'image/svg+xml', 'picture'],
    ['t.parquet', 'application/octet-stream', 'table'],
    ['t.csv', 'text/csv', 'table'],
    ['r.html', 'text/html', 'html'],
    ['r.json', 'application/json', 'json'],
    ['r.md', 'text/markdown', 'markdown'],
    ['r.ipynb', 'application/x-ipynb+json', 'notebook'],
    ['r.patch', 'text/x-diff', 'diff'],
    ['r.py', 'text/x-python', 'code'],
    ['model/MLmodel', 'application/octet-stream', 'text'],
    ['a.mp3', 'audio/mpeg', 'audio'],
    ['a.bin', 'application/octet-stream', 'none']
  ];
  it.each(cases)('shows %s (%s) as %s', (path, type, kind) => {
    expect(previewKind(file(path, type))).toBe(kind);
  });

  it('shows large code as plain text, and what is larger not at all', () => {
    expect(previewKind(file('a.py', '', 1e6))).toBe('text');
    expect(previewKind(file('a.py', '', 1e8))).toBe('large');
    expect(previewKind(file('a.html', '', 1e9))).toBe('large');
    expect(previewKind(file('a.json', '', 1e7))).toBe('table');
    expect(languageOf('a/b.YAML')).toBe('yaml');
  });
});

describe('treeRows', () => {
  const page = (folders: string[], files: string[], next: string | null) => ({
    folders: folders.map(path => ({ path, is_folder: true, size: 1 })),
    files: files.map(path => file(path)),
    next_page_token: next
  });
  const folders = new Map<string, IFolder>([
    ['', extendFolder(undefined, page(['a'], ['x'], 'more'))],
    ['a', extendFolder(undefined, page(['a/b'], ['a/y'], null))]
  ]);

  it('shows what is inside open folders, and that a folder goes on', () => {
    const rows = treeRows(folders, new Set(['a', 'a/b']));
    expect(rows.map(({ id, depth }) => [id, depth])).toEqual([
      ['a/', 0],
      ['a/b/', 1],
      ['waiting:a/b', 2],
      ['a/y', 1],
      ['x', 0],
      ['more:', 0]
    ]);
  });

  it('adds a page to what is known', () => {
    const folder = extendFolder(folders.get(''), page([], ['z'], null));
    expect(folder.files.map(({ path }) => path)).toEqual(['x', 'z']);
    expect(folder.next).toBeNull();
  });
});

describe('visibleRows', () => {
  const row = (id: string, depth: number) =>
    ({ depth, run: { id } }) as NestedRun;
  const rows = [row('a', 1), row('b', 2), row('c', 3), row('d', 1)];
  const ids = (closed: string[]) =>
    visibleRows(rows, new Set(closed)).map(({ run }) => run.id);

  it('hides what is inside closed rows', () => {
    expect(ids([])).toEqual(['a', 'b', 'c', 'd']);
    expect(ids(['a'])).toEqual(['a', 'd']);
    expect(ids(['b', 'd'])).toEqual(['a', 'b', 'd']);
  });

  it('knows which rows have others inside', () => {
    const shown = visibleRows(rows, new Set(['a']));
    expect(shown.map(({ hasChildren }) => hasChildren)).toEqual([true, false]);
  });
});

describe('readNotebook', () => {
  it('reads cells whose texts are lists, and outputs of every kind', () => {
    const notebook = readNotebook(
      JSON.stringify({
        metadata: { kernelspec: { language: 'R' } },
        cells: [
          { cell_type: 'markdown', source: ['# a\n', 'b'] },
          {
            cell_type: 'code',
            source: 'x',
            outputs: [
              { output_type: 'stream', text: ['1\n', '2'] },
              { output_type: 'error', traceback: ['\u001b[31mbad\u001b[0m'] },
              { output_type: 'display_data', data: { 'text/plain': ['p'] } }
            ]
          }
        ]
      })
    );
    expect(notebook?.language).toBe('R');
    expect(notebook?.cells[0].source).toBe('# a\nb');
    expect(notebook?.cells[1].outputs).toEqual([
      { kind: 'text', text: '1\n2', data: {} },
      { kind: 'error', text: 'bad', data: {} },
      { kind: 'data', text: '', data: { 'text/plain': 'p' } }
    ]);
  });

  it.each(['', '[]', '{"cells": 1}', '{'])('refuses %s', text => {
    expect(readNotebook(text)).toBeNull();
  });

  it('survives cells that are no cells', () => {
    expect(readNotebook('{"cells": [null, 1, {}]}')?.cells).toHaveLength(3);
  });
});

describe('findLines', () => {
  it('finds lines in any case, with their numbers, without colours', () => {
    const text = 'One\n\u001b[1mTWO\u001b[0m\nthree one\n';
    expect(findLines(text, 'two').lines).toEqual([[2, 'TWO']]);
    expect(findLines(text, 'one').found).toBe(2);
  });

  it('shows of a progress bar what was left of it', () => {
    expect(findLines('10%\r20%\rdone\n', '').lines).toEqual([[1, 'done']]);
  });

  it('keeps the last of very many lines', () => {
    const found = findLines('x\n'.repeat(6000), '');
    expect([found.isCut, found.found, found.lines.length]).toEqual([
      true,
      6000,
      5000
    ]);
  });
});

it('reads the schemas of Atelier and MLflow, and nothing from anything else', () => {
  expect(readSchema('{"columns": [{"name": "a", "type": "int"}]}')).toEqual([
    { name: 'a', type: 'int' }
  ]);
  expect(readSchema('{"mlflow_colspec": [{"name": "b"}]}')).toEqual([
    { name: 'b', type: '' }
  ]);
  expect(readSchema('no')).toEqual([]);
});

it('reads packages and the machine out of a requirements file', () => {
  const read = readPackages('# Python 3.12\nnumpy==2.1\n\nodd\n');
  expect(read.machine).toEqual(['Python 3.12']);
  expect(read.packages).toEqual({ numpy: '2.1', odd: '' });
});

it('writes paths into code so that no path breaks it', () => {
  expect(artifactCode('r', 'a"b')).toContain('open_artifact("a\\"b")');
});
