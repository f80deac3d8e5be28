/** The files of a run: a list, and what is in the selected one. */
import * as React from 'react';

import type { ArtifactRecord, RunRecord } from '../api';
import {
  EmptyState,
  IColumn,
  List,
  Time,
  formatBytes,
  timeWidth
} from '../components';
import { useStudio } from '../frame';
import { Preview } from './Preview';

export function Artifacts(props: {
  run: RunRecord;
  artifacts: ArtifactRecord[];
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { run, artifacts } = props;
  const [selected, setSelected] = React.useState<string | null>(
    artifacts[0]?.path ?? null
  );
  const columns = React.useMemo(
    (): IColumn<ArtifactRecord>[] => [
      {
        id: 'path',
        label: trans.__('File'),
        width: 150,
        render: artifact => artifact.path,
        title: artifact => artifact.path
      },
      {
        id: 'size',
        label: trans.__('Size'),
        width: 84,
        isNumber: true,
        render: artifact => formatBytes(artifact.size),
        title: artifact => trans.__('%1 bytes', artifact.size)
      },
      {
        id: 'created_at',
        label: trans.__('Kept'),
        width: timeWidth(studio.settings),
        render: artifact => <Time value={artifact.created_at} />
      }
    ],
    [trans, studio.settings]
  );
  if (artifacts.length === 0) {
    return (
      <EmptyState
        title={trans.__('No files yet')}
        text={trans.__('A run keeps any file, and shows figures and pictures:')}
        code={'run.log_artifact("confusion.plotly.json")'}
      />
    );
  }
  const artifact =
    artifacts.find(({ path }) => path === selected) ?? artifacts[0];
  return (
    <div className="atelier-Artifacts">
      <List
        label={trans.__('Files')}
        items={artifacts}
        columns={columns}
        identify={({ path }) => path}
        selected={artifact.path}
        onSelect={item => item && setSelected(item.path)}
      />
      <Preview
        key={`${artifact.path}/${artifact.sha256}`}
        run={run}
        artifact={artifact}
      />
    </div>
  );
}
