/** The head of a version's page: how it stands, its aliases, what belongs to it, and what can be done with it. */
import * as React from 'react';

import type { VersionDetail, VersionRecord } from '../api';
import {
  Button,
  IAction,
  LinkChip,
  PageHeader,
  Time,
  VersionChip
} from '../components';
import { endpointsIcon, formatPath, runIcon, useStudio } from '../frame';
import { askToTransform } from '../hosting/transform';
import { decideVersion } from './approval';
import { deleteAlias } from './calls';
import {
  askForAlias,
  askForLicence,
  askForStage,
  askToDeleteVersion,
  askToPromote
} from './changes';
import { askToDeploy } from './deployment';

interface IHeaderProps {
  detail: VersionDetail;
  action: IAction;
}

export function VersionHeader(
  props: IHeaderProps & { onDeleted(): void }
): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { detail, action } = props;
  const { version } = detail;
  return (
    <PageHeader
      title={trans.__('%1 version %2', version.model, version.version)}
      crumbs={[
        { label: trans.__('Models'), path: 'models' },
        { label: version.model, path: formatPath('model', version.model) }
      ]}
      chip={<VersionChip status={version.status} />}
      facts={<VersionFacts version={version} />}
      links={<VersionLinks {...props} />}
      actions={<VersionActions version={version} action={action} />}
      menu={[
        {
          label: trans.__('Copy as Python'),
          onSelect: () =>
            void studio.copy(
              `import kernel_tools as kt\n\nversion = kt.registry.get(${JSON.stringify(version.model)}, version=${version.version})`
            )
        },
        {
          label: trans.__('Promote…'),
          onSelect: () => void askToPromote(studio, version, action)
        },
        {
          label: trans.__('Transform Files…'),
          onSelect: () =>
            void askToTransform(studio, action, version).then(
              job => job && studio.open(formatPath('job', job))
            )
        },
        {
          label: trans.__('Set Stage…'),
          onSelect: () => void askForStage(studio, version, action)
        },
        {
          label: trans.__('Set Licence…'),
          onSelect: () => void askForLicence(studio, version, action)
        },
        {
          label: trans.__('Delete…'),
          onSelect: () =>
            void askToDeleteVersion(studio, detail, action).then(
              isDone => isDone && props.onDeleted()
            )
        }
      ]}
    />
  );
}

function VersionFacts(props: { version: VersionRecord }): React.ReactElement {
  const { trans } = useStudio();
  const { version } = props;
  return (
    <>
      <span>{version.created_by}</span>
      <Time value={version.created_at} />
      <span>{version.format}</span>
      <span className="atelier-ellipsis" title={version.model_class}>
        {version.model_class}
      </span>
      {version.stage !== 'None' && (
        <span>{trans.__('stage %1', version.stage)}</span>
      )}
    </>
  );
}

/** The aliases, which can be given and taken away, and what belongs to the version. */
function VersionLinks(props: IHeaderProps): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { detail, action } = props;
  const { version, run, endpoints } = detail;
  return (
    <>
      {version.aliases.map(alias => (
        <span key={alias} className="atelier-AliasChip">
          @{alias}
          <button
            type="button"
            aria-label={trans.__('Take the alias %1 away', alias)}
            title={trans.__('Take it away')}
            disabled={action.isBusy}
            onClick={() =>
              void action.run(() => deleteAlias(client, version.model, alias))
            }
          >
            ×
          </button>
        </span>
      ))}
      <button
        type="button"
        className="atelier-LinkChip"
        onClick={() => void askForAlias(studio, version, action)}
      >
        {trans.__('+ Alias')}
      </button>
      {run && (
        <LinkChip
          icon={runIcon}
          label={trans.__('Run %1', run.name)}
          path={`run/${run.id}`}
        />
      )}
      {endpoints.map(({ name }) => (
        <LinkChip
          key={name}
          icon={endpointsIcon}
          label={trans.__('Endpoint %1', name)}
          path={`endpoint/${name}`}
        />
      ))}
    </>
  );
}

/** Approve, reject and deploy; the one that comes next is the primary one. */
function VersionActions(props: {
  version: VersionRecord;
  action: IAction;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { version, action } = props;
  const isApproved = version.status === 'Approved';
  return (
    <>
      {version.status !== 'Rejected' && (
        <Button
          label={trans.__('Reject')}
          isBusy={action.isBusy}
          onClick={() =>
            void decideVersion(studio, version, 'Rejected', action)
          }
        />
      )}
      {!isApproved && (
        <Button
          kind={
            version.status === 'PendingManualApproval' ? 'primary' : 'plain'
          }
          label={trans.__('Approve')}
          isBusy={action.isBusy}
          onClick={() =>
            void decideVersion(studio, version, 'Approved', action)
          }
        />
      )}
      {isApproved && (
        <Button
          label={trans.__('Promote')}
          isBusy={action.isBusy}
          onClick={() => void askToPromote(studio, version, action)}
        />
      )}
      <Button
        kind={isApproved ? 'primary' : 'plain'}
        label={action.isBusy ? trans.__('Working…') : trans.__('Deploy')}
        isBusy={action.isBusy}
        onClick={() => void askToDeploy(studio, version, action)}
      />
    </>
  );
}
