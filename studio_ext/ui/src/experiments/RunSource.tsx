/** How a run was made: script or notebook, command, git commit and difference, the cell, the packages. */
import * as React from 'react';

import type { ArtifactRecord, RunRecord } from '../api';
import { Code, Diff, FactTable, FilteredFacts, IFact } from '../components';
import { TextOf } from '../components/files';
import { useStudio } from '../frame';
import { runSource } from './runCalls';

export function RunSource(props: {
  run: RunRecord;
  files: ArtifactRecord[];
}): React.ReactElement | null {
  const { client, trans } = useStudio();
  const { run, files } = props;
  const source = runSource(client, run.id);
  const facts = useFacts(run);
  const file = (path: string) => files.find(item => item.path === path);
  const cell = file('source/cell.py');
  const diff = file('source/diff.patch');
  const packages = file('environment/packages.txt');
  if (facts.length === 0 && !cell && !diff && !packages) {
    return null;
  }
  return (
    <section className="atelier-Source">
      <FactTable caption={trans.__('Source')} facts={facts} empty="" />
      {cell && (
        <Folded label={trans.__('Code of the cell')}>
          <TextOf source={source} artifact={cell}>
            {text => <Code code={text} language="python" />}
          </TextOf>
        </Folded>
      )}
      {diff && (
        <Folded label={trans.__('What was not committed')}>
          <TextOf source={source} artifact={diff}>
            {text => <Diff text={text} />}
          </TextOf>
        </Folded>
      )}
      {packages && (
        <Folded label={trans.__('Environment')}>
          <TextOf source={source} artifact={packages}>
            {text => <Packages text={text} />}
          </TextOf>
        </Folded>
      )}
    </section>
  );
}

function useFacts(run: RunRecord): IFact[] {
  const studio = useStudio();
  const { trans } = studio;
  const { tags } = run;
  const name = tags['mlflow.source.name'];
  const commit = tags['mlflow.source.git.commit'];
  const facts: IFact[] = [];
  if (name) {
    facts.push({
      name:
        tags['mlflow.source.type'] === 'NOTEBOOK'
          ? trans.__('Notebook')
          : trans.__('Script'),
      title: name,
      value: name.includes('.') ? (
        <button
          type="button"
          className="atelier-TextButton"
          onClick={() => void studio.openFile(name)}
        >
          {name}
        </button>
      ) : (
        name
      )
    });
  }
  if (commit) {
    const isDirty = tags['mlflow.source.git.dirty'] === 'true';
    const branch = tags['mlflow.source.git.branch'];
    facts.push({
      name: trans.__('Git commit'),
      title: commit,
      value: (
        <>
          <span className="atelier-mono">{commit.slice(0, 12)}</span>
          {branch && ` ${trans.__('on %1', branch)}`}
          {isDirty && ` ${trans.__('with changes that were not committed')}`}
        </>
      )
    });
  }
  const omitted = tags['atelier.source.diff'];
  if (omitted) {
    facts.push({ name: trans.__('Difference'), value: omitted });
  }
  const command = tags['atelier.source.command'];
  if (command) {
    facts.push({
      name: trans.__('Command'),
      title: command,
      value: <span className="atelier-mono">{command}</span>
    });
  }
  return facts;
}

function Folded(props: {
  label: string;
  children: React.ReactNode;
}): React.ReactElement {
  const [isOpen, setOpen] = React.useState(false);
  return (
    <details onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>{props.label}</summary>
      {isOpen && props.children}
    </details>
  );
}

function Packages(props: { text: string }): React.ReactElement {
  const { trans } = useStudio();
  const { machine, packages } = readPackages(props.text);
  return (
    <>
      {machine.map(line => (
        <p key={line}>{line}</p>
      ))}
      <FilteredFacts
        caption={trans.__('Packages')}
        values={packages}
        empty={trans.__('No packages were noted.')}
      />
    </>
  );
}

/** The comments of a requirements file, and its packages with their versions. */
export function readPackages(text: string): {
  machine: string[];
  packages: { [name: string]: string };
} {
  const lines = text.split('\n').map(line => line.trim());
  const packages: { [name: string]: string } = {};
  for (const line of lines.filter(line => line && !line.startsWith('#'))) {
    const [name, version = ''] = line.split('==');
    packages[name] = version;
  }
  const machine = lines.filter(line => line.startsWith('#'));
  return { machine: machine.map(line => line.replace(/^#\s*/, '')), packages };
}
