/** The small pieces of detail pages: curves, differences, fences, lineage. */
import { screen } from '@testing-library/react';
import * as React from 'react';

import type { Lineage } from '../../api';
import { Diff, splitDiff } from '../Diff';
import { lineageCode, nodePath } from '../LineageGraph';
import { fenced } from '../Markdown';
import { sparkPath } from '../Sparkline';
import { placeNodes } from '../lineageLayout';
import { makeStudio, renderIn } from './studio';

const PATCH = `diff --git a/train.py b/train.py
index 1..2 100644
--- a/train.py
+++ b/train.py
@@ -1,2 +1,2 @@
-depth = 5
+depth = 6
--- not a head
diff --git a/new.py b/new.py
new file mode 100644
--- /dev/null
+++ b/new.py
@@ -0,0 +1 @@
+x = 1
`;

describe('splitDiff', () => {
  it('cuts a difference into files and counts their lines', () => {
    const files = splitDiff(PATCH);
    expect(files.map(({ name }) => name)).toEqual(['train.py', 'new.py']);
    expect(files[0]).toMatchObject({ added: 1, removed: 1 });
    expect(files[1]).toMatchObject({ added: 1, removed: 0 });
  });

  it('knows plain unified differences', () => {
    const files = splitDiff('--- a.py\n+++ a.py\n@@ -1 +1 @@\n-x\n+y\n');
    expect(files.map(({ name }) => name)).toEqual(['a.py']);
  });

  it('draws text as text', () => {
    renderIn(makeStudio(), <Diff text={`${PATCH}+<img src=x>\n`} />);
    expect(screen.getByText(/<img src=x>/)).toBeTruthy();
  });
});

describe('sparkPath', () => {
  it('joins points over the whole place', () => {
    expect(sparkPath([0, 10], [0, 1])).toBe('M2.0 20.0L118.0 2.0');
  });

  it('leaves a gap where there is no number', () => {
    const path = sparkPath([0, 1, 2, 3], [0, NaN, 1, 2]);
    expect(path.match(/M/g)).toHaveLength(2);
  });

  it('needs two numbers', () => {
    expect(sparkPath([0, 1], [1, Infinity])).toBe('');
  });

  it('draws what never changes in the middle', () => {
    expect(sparkPath([0, 1], [5, 5])).toBe('M2.0 11.0L118.0 11.0');
  });
});

describe('fenced', () => {
  it('has a fence that the code cannot end', () => {
    expect(fenced('a\n```\n````\n', 'python')).toBe(
      '`````python\na\n```\n````\n`````'
    );
    expect(fenced('x', '')).toBe('```\nx\n```');
  });
});

describe('lineage', () => {
  const lineage: Lineage = {
    root: 'run/r',
    is_complete: true,
    nodes: [
      { id: 'run/r', kind: 'run', label: 'r', state: '' },
      { id: 'dataset/a/b@1', kind: 'dataset', label: 'a/b', state: '1' },
      { id: 'model/m/1', kind: 'version', label: 'm 1', state: '' }
    ],
    edges: [
      { source: 'dataset/a/b@1', target: 'run/r', role: 'training' },
      { source: 'dataset/a/b@1', target: 'run/r', role: 'test' },
      { source: 'run/r', target: 'model/m/1', role: 'made' }
    ]
  };

  it('runs from left to right', () => {
    const places = placeNodes(lineage);
    const [dataset, run, version] = ['dataset/a/b@1', 'run/r', 'model/m/1'].map(
      id => places.get(id)?.x ?? NaN
    );
    expect(dataset).toBeLessThan(run);
    expect(run).toBeLessThan(version);
  });

  it('knows the pages of nodes, and that a dataset has none', () => {
    expect(nodePath('model/my model/3')).toBe('model/my%20model/3');
    expect(nodePath('dataset/a/b@1')).toBeNull();
  });

  it('is asked for by code', () => {
    expect(lineageCode('run/r', 'upstream')).toContain(
      'kt.registry.lineage("run/r", direction="upstream")'
    );
    expect(lineageCode('run/r', 'both')).not.toContain('direction');
  });
});
