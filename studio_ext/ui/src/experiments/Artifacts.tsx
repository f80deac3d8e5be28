/** The files of a run. */
import * as React from 'react';

import type { RunDetail } from '../api';
import { EmptyState } from '../components';
import { FileBrowser } from '../components/files';
import { useStudio } from '../frame';
import { runSource } from './runCalls';

export function Artifacts(props: { detail: RunDetail }): React.ReactElement {
  const { client, trans } = useStudio();
  const { run, artifacts, artifact_count } = props.detail;
  if (artifact_count === 0) {
    return (
      <EmptyState
        title={trans.__('No files yet')}
        text={trans.__('A run keeps any file, and shows figures and pictures:')}
        code={'run.log_artifact("confusion.plotly.json")'}
      />
    );
  }
  const newest = Math.max(0, ...artifacts.map(({ created_at }) => created_at));
  return (
    <FileBrowser
      source={runSource(client, run.id)}
      count={artifact_count}
      version={`${artifact_count}/${newest}`}
    />
  );
}
