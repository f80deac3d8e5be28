/** One model version: what it is, how good it is, where it came from, what was decided, and how it compares. */
import * as React from 'react';

import type { VersionDetail } from '../api';
import { VersionPackages } from '../compiler/VersionPackages';
import {
  Button,
  ErrorBar,
  LineageGraph,
  Loaded,
  Tabs,
  useAction
} from '../components';
import { formatPath, usePageTitle, useResource, useStudio } from '../frame';
import { VersionApprovals } from './VersionApprovals';
import { VersionCard } from './VersionCard';
import { VersionCompare } from './VersionCompare';
import { VersionHeader } from './VersionHeader';
import { VersionOverview } from './VersionOverview';
import { FilesTable } from './VersionTables';

export function VersionPage(props: {
  model: string;
  version: number;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { model, version } = props;
  const [isDeleted, setDeleted] = React.useState(false);
  const detail = useResource<VersionDetail | null>(
    `model/${model}/${version}/${isDeleted}`,
    async signal =>
      isDeleted ? null : client.modelVersion(model, version, signal)
  );
  usePageTitle(`${model} ${version}`);
  return (
    <div className="atelier-PageBody">
      {isDeleted ? (
        <Deleted {...props} />
      ) : (
        <Loaded
          resource={detail}
          failure={trans.__('The model version could not be read')}
          rows={12}
        >
          {data =>
            data ? (
              <VersionView detail={data} onDeleted={() => setDeleted(true)} />
            ) : (
              <Deleted {...props} />
            )
          }
        </Loaded>
      )}
    </div>
  );
}

function Deleted(props: {
  model: string;
  version: number;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { model, version } = props;
  return (
    <div className="atelier-State" data-state="deleted" role="status">
      <h2>{trans.__('%1 version %2 was deleted', model, version)}</h2>
      <p>{trans.__('The run that made it is still there.')}</p>
      <Button
        label={trans.__('All versions of %1', model)}
        onClick={() => studio.open(formatPath('model', model))}
      />
    </div>
  );
}

function VersionView(props: {
  detail: VersionDetail;
  onDeleted(): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { detail } = props;
  const { version } = detail;
  const action = useAction();
  return (
    <>
      <VersionHeader
        detail={detail}
        action={action}
        onDeleted={props.onDeleted}
      />
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <Tabs
        label={trans.__('Parts of the version')}
        tabs={[
          {
            id: 'overview',
            label: trans.__('Overview'),
            render: () => <VersionOverview detail={detail} />
          },
          {
            id: 'card',
            label: trans.__('Card'),
            render: () => <VersionCard version={version} />
          },
          {
            id: 'files',
            label: trans.__('Files (%1)', version.files.length),
            render: () => <FilesTable version={version} />
          },
          {
            id: 'compiled',
            label: trans.__('Compiled'),
            render: () => <VersionPackages version={version} />
          },
          {
            id: 'lineage',
            label: trans.__('Lineage'),
            render: () => (
              <LineageGraph
                node={`model/${version.model}/${version.version}`}
              />
            )
          },
          {
            id: 'approvals',
            label: trans.__('Approvals'),
            render: () => <VersionApprovals version={version} />
          },
          {
            id: 'compare',
            label: trans.__('Compare'),
            render: () => (
              <VersionCompare
                key={`${version.model}/${version.version}`}
                versions={[version]}
              />
            )
          }
        ]}
      />
    </>
  );
}
