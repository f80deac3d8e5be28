/** What two runs captured of their code: the commits, what was not committed, and the cell. */
import * as React from 'react';

import type { CodeComparison, RunRecord } from '../../api';
import { CodeBlock, EmptyState, Loaded } from '../../components';
import { useResource, useStudio } from '../../frame';
import { DiffView } from './DiffView';
import { usePair } from './PairChoice';
import { RowsTable } from './RowsTable';
import { Uncaptured } from './Uncaptured';
import { compareCode } from './calls';

export function CodeDiff(props: { runs: RunRecord[] }): React.ReactElement {
  const { client, trans } = useStudio();
  const { pair, choice } = usePair(props.runs);
  const [first, second] = pair;
  const code = useResource<CodeComparison>(
    JSON.stringify(['code', first.id, second.id]),
    async (signal, known) =>
      known ?? compareCode(client, first.id, second.id, signal)
  );
  return (
    <div className="atelier-Compare-part-body">
      {choice}
      <Loaded
        resource={code}
        failure={trans.__('The code could not be compared')}
      >
        {({ facts, files, uncaptured, command }) => (
          <>
            <Uncaptured
              runs={pair}
              ids={uncaptured}
              what={trans.__('source')}
            />
            {facts.length > 0 && (
              <RowsTable
                label={trans.__('Where the code came from')}
                runs={pair}
                places={pair.map(run => props.runs.indexOf(run))}
                rows={facts}
                partLabels={{ code: trans.__('Source') }}
              />
            )}
            {command && (
              <section>
                <p className="atelier-muted">
                  {trans.__(
                    'The runs are of different commits. In their repository, this shows what was committed between them:'
                  )}
                </p>
                <CodeBlock code={command} />
              </section>
            )}
            {files.map(file => (
              <DiffView
                key={file.path}
                difference={file}
                names={[first.name, second.name]}
              />
            ))}
            {files.length === 0 && uncaptured.length < 2 && (
              <EmptyState
                title={trans.__('No code was kept')}
                text={trans.__(
                  'Neither run started in a notebook cell, and nothing was uncommitted: the code is that of the commit.'
                )}
              />
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}
