/** What a run says about itself: notes, metrics, parameters, tags, datasets, runs inside it, source. */
import * as React from 'react';

import type { RunDetail } from '../api';
import { FilteredFacts, MarkdownField, TagEditor } from '../components';
import { useStudio } from '../frame';
import { Datasets } from './Datasets';
import { MetricsTable } from './MetricsTable';
import { NestedRuns } from './NestedRuns';
import { RunSource } from './RunSource';
import { changeRun } from './runCalls';

export const NOTE_TAG = 'mlflow.note.content';

export function RunOverview(props: { detail: RunDetail }): React.ReactElement {
  const { client, trans } = useStudio();
  const { detail } = props;
  const { run } = detail;
  const isReadOnly = run.lifecycle === 'deleted';
  const { [NOTE_TAG]: note = '', ...tags } = run.tags;
  return (
    <div className="atelier-Overview">
      <MarkdownField
        label={trans.__('Notes')}
        value={note}
        empty={trans.__('No notes yet: what was tried, what came of it.')}
        isReadOnly={isReadOnly}
        onSave={(text, before) =>
          changeRun(client, run.id, { note: text, expected_note: before })
        }
      />
      <MetricsTable run={run} />
      <div className="atelier-Columns">
        <FilteredFacts
          caption={trans.__('Parameters')}
          values={run.params}
          empty={trans.__('No parameters were logged.')}
        />
        <TagEditor
          tags={tags}
          isReadOnly={isReadOnly}
          onChange={changed => changeRun(client, run.id, { tags: changed })}
        />
      </div>
      {detail.child_count > 0 && <NestedRuns run={run} />}
      <Datasets inputs={detail.inputs} count={detail.input_count} />
      <RunSource run={run} files={detail.origin_files} />
    </div>
  );
}
