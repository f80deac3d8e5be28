/** Batch transforms: files whose rows a model predicts, each by a job. */
import * as React from 'react';

import type { TransformLine } from '../api';
import {
  Button,
  EmptyState,
  ErrorBar,
  ErrorState,
  IColumn,
  List,
  LoadingState,
  PageHeader,
  StateChip,
  Time,
  Tone,
  timeWidth,
  useAction
} from '../components';
import { IStudio, usePagedResource, useStudio } from '../frame';
import { changeTransform, listTransforms } from './calls';
import { askToTransform } from './transform';

const FIRST_TRANSFORM = `import kernel_tools as kt

kt.hosting.batch_transform("my-model", "rows.parquet", "predictions")`;

const TONES: { [state: string]: Tone } = {
  Completed: 'good',
  Failed: 'bad',
  TimedOut: 'bad',
  WaitExpired: 'bad',
  Lost: 'bad',
  Stopped: 'plain',
  Running: 'live'
};

function isOver({ state }: TransformLine): boolean {
  return state in TONES && state !== 'Running';
}

export function BatchTransformsPage(): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const [selected, setSelected] = React.useState<string | null>(null);
  const action = useAction();
  const transforms = usePagedResource<TransformLine>(
    'batch-transforms',
    one => one.job,
    async (query, signal) => {
      const reply = await listTransforms(client, query, signal);
      return { items: reply.transforms, next: reply.next_page_token };
    }
  );
  const { data, error } = transforms;
  const shown = data?.find(({ job }) => job === selected);
  const change = (job: string, verb: 'stop' | 'rerun') =>
    action.run(async () => {
      const changed = await changeTransform(client, job, verb);
      setSelected(changed.name);
      transforms.refresh();
    });
  const begin = async (): Promise<void> => {
    await askToTransform(studio, action);
    transforms.refresh();
  };
  return (
    <div className="atelier-PageBody atelier-Split">
      {data === null ? (
        error ? (
          <ErrorState
            title={trans.__('The batch transforms could not be read')}
            error={error}
            retry={transforms.refresh}
          />
        ) : (
          <LoadingState rows={12} />
        )
      ) : (
        <>
          <PageHeader
            title={trans.__('Batch transforms')}
            crumbs={[{ label: trans.__('Endpoints'), path: 'endpoints' }]}
            actions={
              <>
                {shown && !isOver(shown) && (
                  <Button
                    label={trans.__('Stop')}
                    isBusy={action.isBusy}
                    onClick={() => void change(shown.job, 'stop')}
                  />
                )}
                {shown && isOver(shown) && shown.state !== 'Completed' && (
                  <Button
                    label={trans.__('Try again')}
                    isBusy={action.isBusy}
                    title={trans.__('Goes on with the parts that are missing')}
                    onClick={() => void change(shown.job, 'rerun')}
                  />
                )}
                <Button
                  label={trans.__('Transform files…')}
                  isBusy={action.isBusy}
                  onClick={() => void begin()}
                />
              </>
            }
          />
          <ErrorBar error={action.error} dismiss={action.dismiss} />
          <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
          {data.length === 0 ? (
            <EmptyState
              title={trans.__('No batch transforms yet')}
              text={trans.__(
                'A batch transform predicts all rows of files, in a job that goes on where it was killed. Begin one here, or from code:'
              )}
              code={FIRST_TRANSFORM}
            />
          ) : (
            <List
              label={trans.__('Batch transforms')}
              items={data}
              columns={columnsOf(studio)}
              identify={({ job }) => job}
              selected={selected}
              onSelect={one => setSelected(one?.job ?? null)}
              onOpen={({ job }) => studio.open(`job/${job}`)}
              hasMore={transforms.hasMore}
              isLoadingMore={transforms.isLoadingMore}
              onLoadMore={transforms.loadMore}
            />
          )}
        </>
      )}
    </div>
  );
}

function columnsOf(studio: IStudio): IColumn<TransformLine>[] {
  const { trans } = studio;
  const link = (label: string, path: string) => (
    <button
      type="button"
      tabIndex={-1}
      className="atelier-TextButton atelier-ellipsis"
      onClick={() => studio.open(path)}
    >
      {label}
    </button>
  );
  return [
    {
      id: 'job',
      label: trans.__('Job'),
      width: 190,
      render: ({ job }) => link(job, `job/${job}`),
      title: ({ job }) => job
    },
    {
      id: 'state',
      label: trans.__('State'),
      width: 120,
      render: ({ state }) => (
        <StateChip tone={TONES[state] ?? 'wait'} label={state} />
      )
    },
    {
      id: 'done',
      label: trans.__('Done'),
      width: 70,
      render: ({ done }) =>
        done === null ? '' : `${Math.floor(100 * Number(done))} %`
    },
    {
      id: 'reason',
      label: trans.__('Reason'),
      width: 260,
      render: ({ reason }) => reason,
      title: ({ reason }) => reason || undefined
    },
    {
      id: 'model',
      label: trans.__('Model'),
      width: 180,
      render: ({ model, version }) =>
        model === null
          ? ''
          : link(
              trans.__('%1 version %2', model, version ?? ''),
              `model/${model}/${version}`
            )
    },
    {
      id: 'inputs',
      label: trans.__('Input'),
      width: 220,
      render: ({ inputs }) => inputs.join(', '),
      title: ({ inputs }) => inputs.join('\n') || undefined
    },
    {
      id: 'output',
      label: trans.__('Output'),
      width: 200,
      render: ({ output }) => output ?? '',
      title: ({ output }) => output ?? undefined
    },
    {
      id: 'created_at',
      label: trans.__('Begun'),
      width: timeWidth(studio.settings),
      render: ({ created_at }) => <Time value={created_at} />
    }
  ];
}
