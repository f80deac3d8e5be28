/** What a run printed: searched, and downloaded whole. */
import * as React from 'react';

import type { ArtifactRecord, RunRecord } from '../api';
import { InputField, formatBytes } from '../components';
import { TextOf } from '../components/files';
import { useStudio } from '../frame';
import { runSource } from './runCalls';

const SHOWN_LINES = 5000;

export function RunLog(props: {
  run: RunRecord;
  artifact: ArtifactRecord;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { run, artifact } = props;
  const source = runSource(client, run.id);
  const [search, setSearch] = React.useState('');
  return (
    <div className="atelier-RunLog">
      <div className="atelier-RunLog-bar">
        <InputField
          label={trans.__('Search the log')}
          value={search}
          onChange={setSearch}
        />
        <span className="atelier-muted">{formatBytes(artifact.size)}</span>
        <a
          className="atelier-Button"
          data-kind="plain"
          href={client.artifactUrl(run.id, artifact.path)}
          download={`${run.name}.txt`}
        >
          {trans.__('Download')}
        </a>
      </div>
      <TextOf source={source} artifact={artifact}>
        {text => <Lines text={text} search={search} />}
      </TextOf>
    </div>
  );
}

function Lines(props: { text: string; search: string }): React.ReactElement {
  const { trans } = useStudio();
  const { lines, found, isCut } = React.useMemo(
    () => findLines(props.text, props.search),
    [props.text, props.search]
  );
  return (
    <>
      <p className="atelier-muted" role="status">
        {props.search.trim()
          ? trans.__('%1 lines match.', found)
          : isCut
            ? trans.__('The last %1 of %2 lines.', lines.length, found)
            : trans.__('%1 lines.', found)}
      </p>
      <pre
        tabIndex={0}
        className="atelier-Log atelier-RunLog-text"
        aria-label={trans.__('Log')}
      >
        {lines
          .map(([number, line]) => `${String(number).padStart(6)}  ${line}\n`)
          .join('')}
      </pre>
    </>
  );
}

/** The lines that contain a text, with their numbers from 1; the last ones if there are too many. */
export function findLines(
  text: string,
  search: string
): { lines: [number, string][]; found: number; isCut: boolean } {
  const wanted = search.trim().toLowerCase();
  const found: [number, string][] = [];
  // What a progress bar wrote before it went back to the start of its line is not read by anybody.
  const all = text.replace(/\n$/, '').split('\n');
  all.forEach((line, index) => {
    const last = line.replace(/\r$/, '').split('\r').pop() ?? '';
    const plain = last.replace(ANSI, '');
    if (!wanted || plain.toLowerCase().includes(wanted)) {
      found.push([index + 1, plain]);
    }
  });
  const isCut = found.length > SHOWN_LINES;
  return {
    lines: isCut ? found.slice(-SHOWN_LINES) : found,
    found: found.length,
    isCut
  };
}

const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g;
