/** A notebook as it was kept: its texts, code and outputs; nothing in it is trusted or executed. */
import * as React from 'react';

import { Code, Figure, Markdown, Mime, MimeBundle, isFigure } from '..';
import { useStudio } from '../../frame';

const SHOWN_CELLS = 500;
const PLOTLY = 'application/vnd.plotly.v1+json';

export interface INotebookOutput {
  kind: 'text' | 'error' | 'data';
  text: string;
  data: MimeBundle;
}

export interface INotebookCell {
  kind: 'markdown' | 'code' | 'raw';
  source: string;
  outputs: INotebookOutput[];
}

export interface INotebook {
  language: string;
  cells: INotebookCell[];
}

export function NotebookView(props: { text: string }): React.ReactElement {
  const { trans } = useStudio();
  const notebook = React.useMemo(() => readNotebook(props.text), [props.text]);
  if (!notebook) {
    return (
      <p role="alert">
        {trans.__('This is not a notebook of format 4; download it to see it.')}
      </p>
    );
  }
  const { cells, language } = notebook;
  return (
    <div className="atelier-Notebook">
      {cells.slice(0, SHOWN_CELLS).map((cell, index) => (
        <article key={index}>
          {cell.kind === 'markdown' ? (
            <Markdown text={cell.source} />
          ) : (
            <Code
              code={cell.source}
              language={cell.kind === 'code' ? language : ''}
            />
          )}
          {cell.outputs.map((output, place) => (
            <Output key={place} output={output} />
          ))}
        </article>
      ))}
      {cells.length > SHOWN_CELLS && (
        <p className="atelier-muted">
          {trans.__('And %1 more cells.', cells.length - SHOWN_CELLS)}
        </p>
      )}
    </div>
  );
}

function Output(props: { output: INotebookOutput }): React.ReactElement {
  const { trans } = useStudio();
  const { kind, text, data } = props.output;
  if (kind !== 'data') {
    return (
      <pre
        tabIndex={0}
        className="atelier-Preview-text"
        data-kind={kind}
        aria-label={
          kind === 'error' ? trans.__('Error') : trans.__('What it printed')
        }
      >
        {text}
      </pre>
    );
  }
  const figure = data[PLOTLY];
  return isFigure(figure) ? (
    <Figure title={trans.__('Figure')} figure={figure} />
  ) : (
    <Mime data={data} />
  );
}

/** The parts of a notebook that are shown; null if it is not one of format 4. */
export function readNotebook(text: string): INotebook | null {
  const root = toRecord(parse(text));
  if (!Array.isArray(root.cells)) {
    return null;
  }
  const metadata = toRecord(root.metadata);
  const language =
    toRecord(metadata.language_info).name ??
    toRecord(metadata.kernelspec).language;
  return {
    language: typeof language === 'string' ? language : 'python',
    cells: root.cells.map(toRecord).map(cell => ({
      kind:
        cell.cell_type === 'markdown' || cell.cell_type === 'code'
          ? cell.cell_type
          : 'raw',
      source: toText(cell.source),
      outputs: Array.isArray(cell.outputs)
        ? cell.outputs.map(toRecord).map(readOutput)
        : []
    }))
  };
}

function readOutput(output: { [key: string]: unknown }): INotebookOutput {
  switch (output.output_type) {
    case 'stream':
      return { kind: 'text', text: plain(toText(output.text)), data: {} };
    case 'error': {
      const trace = Array.isArray(output.traceback)
        ? output.traceback.join('\n')
        : `${String(output.ename)}: ${String(output.evalue)}`;
      return { kind: 'error', text: plain(trace), data: {} };
    }
    default: {
      const data: MimeBundle = {};
      for (const [type, value] of Object.entries(toRecord(output.data))) {
        data[type] =
          typeof value === 'object' && value !== null && !Array.isArray(value)
            ? value
            : toText(value);
      }
      return { kind: 'data', text: '', data };
    }
  }
}

/** Text that a notebook keeps whole or line by line. */
function toText(value: unknown): string {
  return Array.isArray(value) ? value.join('') : String(value ?? '');
}

function toRecord(value: unknown): { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { [key: string]: unknown })
    : {};
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Text without the codes that colour it in a terminal. */
function plain(text: string): string {
  // The escape character is written so because a regular expression may not hold it as it is.
  return text.replace(new RegExp('\\u001b\\[[0-9;?]*[A-Za-z]', 'g'), '');
}
