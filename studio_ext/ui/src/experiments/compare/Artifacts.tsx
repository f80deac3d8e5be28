/** The files of the runs: which runs have them, whether they are the same, and what is in them, side by side. */
import * as React from 'react';

import type { ComparedArtifacts, FileDifference, RunRecord } from '../../api';
import { EmptyState, IColumn, List, Loaded, StateChip } from '../../components';
import { Preview } from '../../components/files';
import { useResource, useStudio } from '../../frame';
import { runSource } from '../runCalls';
import { DiffView } from './DiffView';
import { usePair } from './PairChoice';
import { Swatch } from './Swatch';
import { compareArtifacts, compareFile } from './calls';

type Artifact = ComparedArtifacts['artifacts'][number];

const TEXT =
  /\.(txt|md|json|ya?ml|toml|csv|py|log|patch|html|ipynb|sql|cfg|ini)$/;

export function Artifacts(props: { runs: RunRecord[] }): React.ReactElement {
  const { client, trans } = useStudio();
  const { runs } = props;
  const ids = runs.map(run => run.id);
  const artifacts = useResource<ComparedArtifacts>(
    JSON.stringify(['compared-artifacts', ids]),
    signal => compareArtifacts(client, ids, signal)
  );
  return (
    <Loaded
      resource={artifacts}
      failure={trans.__('The files could not be compared')}
    >
      {data =>
        data.artifacts.length === 0 ? (
          <EmptyState
            title={trans.__('No files')}
            text={trans.__('None of these runs kept a file. A run keeps any:')}
            code={'run.log_artifact("report.html")'}
          />
        ) : (
          <SideBySide runs={runs} {...data} />
        )
      }
    </Loaded>
  );
}

function SideBySide(props: {
  runs: RunRecord[];
  artifacts: Artifact[];
  count: number;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { runs, artifacts, count } = props;
  const [path, setPath] = React.useState(artifacts[0].path);
  const columns = React.useMemo(
    (): IColumn<Artifact>[] => [
      {
        id: 'path',
        label: trans.__('File'),
        width: 150,
        render: artifact => artifact.path,
        title: artifact => artifact.path
      },
      {
        id: 'runs',
        label: trans.__('Runs'),
        width: 60,
        isNumber: true,
        render: artifact => artifact.files.filter(file => file !== null).length
      },
      {
        id: 'equal',
        label: trans.__('Content'),
        width: 110,
        render: artifact =>
          artifact.files.filter(file => file !== null).length < 2 ? (
            ''
          ) : artifact.is_equal ? (
            <StateChip tone="good" label={trans.__('Equal')} />
          ) : (
            <StateChip tone="wait" label={trans.__('Different')} />
          )
      }
    ],
    [trans]
  );
  const artifact = artifacts.find(item => item.path === path) ?? artifacts[0];
  return (
    <div className="atelier-Compare-artifacts">
      <div className="atelier-Compare-files">
        <List
          label={trans.__('Files')}
          items={artifacts}
          columns={columns}
          identify={item => item.path}
          selected={artifact.path}
          onSelect={item => item && setPath(item.path)}
        />
        {count > artifacts.length && (
          <p className="atelier-muted">
            {trans.__('The first %1 of %2 files.', artifacts.length, count)}
          </p>
        )}
      </div>
      <div className="atelier-Compare-contents" key={artifact.path}>
        {isText(artifact.path) && !artifact.is_equal && (
          <TextDifference runs={runs} artifact={artifact} />
        )}
        <div className="atelier-Compare-previews">
          {runs.map((run, place) => {
            const file = artifact.files[place];
            return (
              <div key={run.id} className="atelier-Compare-preview">
                <div className="atelier-Compare-run">
                  <Swatch place={place} />
                  <span className="atelier-ellipsis" title={run.name}>
                    {run.name}
                  </span>
                </div>
                {file ? (
                  <Preview source={runSource(client, run.id)} artifact={file} />
                ) : (
                  <p className="atelier-muted">
                    {trans.__('This run has no such file.')}
                  </p>
                )}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function TextDifference(props: {
  runs: RunRecord[];
  artifact: Artifact;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { path, files } = props.artifact;
  const having = props.runs.filter((_, place) => files[place] !== null);
  const { pair, choice } = usePair(having);
  const [first, second] = pair;
  const difference = useResource<FileDifference>(
    JSON.stringify(['file', first.id, second.id, path]),
    async (signal, known) =>
      known ??
      compareFile(client, { first: first.id, second: second.id, path }, signal)
  );
  return (
    <div>
      {choice}
      <Loaded
        resource={difference}
        failure={trans.__('The files could not be compared')}
        rows={3}
      >
        {data => (
          <DiffView difference={data} names={[first.name, second.name]} />
        )}
      </Loaded>
    </div>
  );
}

/** Whether a file is compared line by line; figures are JSON too, but are looked at. */
function isText(path: string): boolean {
  return TEXT.test(path) && !path.endsWith('.plotly.json');
}
