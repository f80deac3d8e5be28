/** What a job has left: its files, its run, and the model versions registered from that. */
import * as React from 'react';

import type { JobDetail } from '../api';
import { EmptyState } from '../components';
import { FileBrowser } from '../components/files';
import { useStudio } from '../frame';
import { jobSource } from './calls';
import { isEnd } from './state';

const SAVE_CODE = `import os, pathlib

model = pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model.ubj"`;

export function JobOutputs(props: { detail: JobDetail }): React.ReactElement {
  const { client, trans } = useStudio();
  const { job, output_count } = props.detail;
  if (output_count === 0) {
    return (
      <EmptyState
        title={
          isEnd(job.state)
            ? trans.__('It left no files')
            : trans.__('No files yet')
        }
        text={trans.__(
          'A job leaves what its code writes below SM_MODEL_DIR and SM_OUTPUT_DATA_DIR:'
        )}
        code={SAVE_CODE}
      />
    );
  }
  return (
    <FileBrowser
      source={jobSource(client, job.name)}
      count={output_count}
      version={`${output_count}/${job.state}`}
    />
  );
}
