/** A difference as git writes it, file by file. */
import * as React from 'react';

import { useStudio } from '../frame/context';

const SHOWN_LINES = 2000;

export interface IFileDiff {
  name: string;
  lines: string[];
  added: number;
  removed: number;
}

export function Diff(props: { text: string }): React.ReactElement {
  const { trans } = useStudio();
  const files = React.useMemo(() => splitDiff(props.text), [props.text]);
  return (
    <div className="atelier-Diff">
      {files.map((file, index) => (
        <details key={index} open={files.length <= 3}>
          <summary>
            <span className="atelier-mono">{file.name}</span>{' '}
            <span className="atelier-muted">
              +{file.added} −{file.removed}
            </span>
          </summary>
          <pre tabIndex={0} aria-label={file.name}>
            {file.lines.slice(0, SHOWN_LINES).map((line, number) => (
              <span key={number} data-kind={lineKind(line)}>
                {line || ' '}
                {'\n'}
              </span>
            ))}
          </pre>
          {file.lines.length > SHOWN_LINES && (
            <p className="atelier-muted">
              {trans.__(
                'And %1 more lines; download the file to read them.',
                file.lines.length - SHOWN_LINES
              )}
            </p>
          )}
        </details>
      ))}
    </div>
  );
}

/** The parts of a unified diff; lines before the first file are left out. */
export function splitDiff(text: string): IFileDiff[] {
  const files: IFileDiff[] = [];
  const lines = text.replace(/\n$/, '').split('\n');
  lines.forEach((line, index) => {
    const git = /^diff --git (?:a\/)?(.*) (?:b\/)?(.*)$/.exec(line);
    const isPlain =
      line.startsWith('--- ') &&
      lines[index + 1]?.startsWith('+++ ') &&
      !files.some(file => file.lines.length > 0 && isHead(file.lines));
    if (git) {
      const name = git[2].replace(/^b\//, '');
      files.push({ name, lines: [], added: 0, removed: 0 });
    } else if (isPlain) {
      const name = lines[index + 1].slice(4).replace(/^b\//, '').split('\t')[0];
      files.push({ name, lines: [], added: 0, removed: 0 });
    }
    const file = files[files.length - 1];
    if (file && !git) {
      file.lines.push(line);
      const kind = lineKind(line);
      file.added += kind === 'added' ? 1 : 0;
      file.removed += kind === 'removed' ? 1 : 0;
    }
  });
  return files;
}

/** Whether only the head of a file was read so far, so that its `---` line begins no file of its own. */
function isHead(lines: string[]): boolean {
  return !lines.some(line => line.startsWith('@@'));
}

function lineKind(line: string): string {
  if (
    /^(\+\+\+|---|index |new file|deleted file|similarity|rename)/.test(line)
  ) {
    return 'head';
  }
  switch (line[0]) {
    case '+':
      return 'added';
    case '-':
      return 'removed';
    case '@':
      return 'place';
    default:
      return 'same';
  }
}
