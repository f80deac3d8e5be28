/** The versions of a model, newest first. */
import * as React from 'react';

import type { VersionRecord } from '../api';
import {
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
import { usePagedResource, useStudio } from '../frame';

export function VersionsTable(props: { model: string }): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { model } = props;
  const [selected, setSelected] = React.useState<string | null>(null);
  const versions = usePagedResource<VersionRecord>(
    `versions/${model}`,
    version => String(version.version),
    async (query, signal) => {
      const reply = await client.versions(model, query, signal);
      return { items: reply.versions, next: reply.next_page_token };
    }
  );
  const open = (version: VersionRecord) =>
    studio.open(`model/${version.model}/${version.version}`);
  const columns: IColumn<VersionRecord>[] = [
    {
      id: 'version',
      label: trans.__('Version'),
      width: 130,
      render: version => (
        <button
          type="button"
          tabIndex={-1}
          className="atelier-TextButton"
          onClick={() => open(version)}
        >
          {trans.__('Version %1', version.version)}
        </button>
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
        text={trans.__('This model has a name, but no version of it was kept.')}
      />
    );
  }
  return (
    <div className="atelier-Runs-main">
      <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
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
