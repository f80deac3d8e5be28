/** The versions of a model, newest first. */
import * as React from 'react';

import type { VersionRecord } from '../api';
import {
  Button,
  EmptyState,
  ErrorBar,
  ErrorState,
  IColumn,
  List,
  LoadingState,
  Time,
  timeWidth,
  VersionChip
} from '../components';
import { formatPath, usePagedResource, useStudio } from '../frame';
import { formatVersions } from './versionKeys';

export function VersionsTable(props: { model: string }): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { model } = props;
  const [selected, setSelected] = React.useState<string | null>(null);
  const [chosen, setChosen] = React.useState<ReadonlySet<number>>(new Set());
  const choose = (version: number) => {
    const next = new Set(chosen);
    if (!next.delete(version)) {
      next.add(version);
    }
    setChosen(next);
  };
  const versions = usePagedResource<VersionRecord>(
    `versions/${model}`,
    version => String(version.version),
    async (query, signal) => {
      const reply = await client.versions(model, query, signal);
      return { items: reply.versions, next: reply.next_page_token };
    }
  );
  const open = (version: VersionRecord) =>
    studio.open(formatPath('model', version.model, String(version.version)));
  const columns: IColumn<VersionRecord>[] = [
    {
      id: 'version',
      label: trans.__('Version'),
      width: 130,
      render: version => (
        <span className="atelier-Choice">
          <input
            type="checkbox"
            aria-label={trans.__('Compare version %1', version.version)}
            checked={chosen.has(version.version)}
            onClick={event => event.stopPropagation()}
            onChange={() => choose(version.version)}
          />
          <button
            type="button"
            tabIndex={-1}
            className="atelier-TextButton"
            onClick={() => open(version)}
          >
            {trans.__('Version %1', version.version)}
          </button>
        </span>
      )
    },
    {
      id: 'status',
      label: trans.__('Status'),
      width: 110,
      render: version => <VersionChip status={version.status} />
    },
    {
      id: 'aliases',
      label: trans.__('Aliases'),
      width: 110,
      render: version => version.aliases.join(', '),
      title: version => version.aliases.join(', ')
    },
    {
      id: 'class',
      label: trans.__('Class'),
      width: 150,
      render: version => version.model_class.split('.').pop(),
      title: version => version.model_class
    },
    {
      id: 'format',
      label: trans.__('Format'),
      width: 110,
      render: version => version.format,
      title: version => version.format
    },
    {
      id: 'created_at',
      label: trans.__('Registered'),
      width: timeWidth(studio.settings),
      render: version => <Time value={version.created_at} />
    },
    {
      id: 'note',
      label: trans.__('Note'),
      width: 220,
      render: version => version.note,
      title: version => version.note
    }
  ];
  const { data, error } = versions;
  if (data === null) {
    return error ? (
      <ErrorState
        title={trans.__('The versions could not be read')}
        error={error}
        retry={versions.refresh}
      />
    ) : (
      <LoadingState rows={8} />
    );
  }
  if (data.length === 0) {
    return (
      <EmptyState
        title={trans.__('No versions yet')}
        text={trans.__(
          'This model has a name. Register a fitted model under it, or files that were trained elsewhere:'
        )}
        code={registerCode(model)}
      />
    );
  }
  return (
    <div className="atelier-Runs-main">
      <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
      {chosen.size > 0 && (
        <div className="atelier-Buttons">
          <Button
            label={trans.__('Compare (%1)', chosen.size)}
            isDisabled={chosen.size < 2}
            onClick={() =>
              studio.open(
                formatPath(
                  'compare-versions',
                  formatVersions(
                    [...chosen].map(version => ({ model, version }))
                  )
                )
              )
            }
          />
          <Button
            label={trans.__('Choose none')}
            onClick={() => setChosen(new Set())}
          />
        </div>
      )}
      <List
        label={trans.__('Versions of %1', model)}
        items={data}
        columns={columns}
        identify={version => String(version.version)}
        selected={selected}
        onSelect={version =>
          setSelected(version ? String(version.version) : null)
        }
        onOpen={open}
        hasMore={versions.hasMore}
        isLoadingMore={versions.isLoadingMore}
        onLoadMore={versions.loadMore}
      />
    </div>
  );
}

/** The code that registers a version of a model. */
export function registerCode(model: string): string {
  const name = JSON.stringify(model);
  return [
    'import kernel_tools as kt',
    '',
    `version = kt.registry.register(${name}, model, run=run, sample_input=X.head())`,
    `version = kt.registry.register_files(${name}, "model.onnx")`
  ].join('\n');
}
