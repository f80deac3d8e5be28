/** One model version: what it is, how good it is, where it came from and what was decided. */
import * as React from 'react';

import type { RunRecord, VersionDetail, VersionRecord } from '../api';
import {
  Button,
  ErrorBar,
  FactTable,
  Grid,
  LinkChip,
  Loaded,
  PageHeader,
  Time,
  VersionChip,
  metricFacts,
  rowsSource,
  textFacts,
  useAction
} from '../components';
import {
  endpointsIcon,
  runIcon,
  usePageTitle,
  useResource,
  useStudio
} from '../frame';
import { FilesTable, SignatureTable } from './VersionTables';
import { decideVersion } from './approval';
import { askToDeploy } from './deployment';

export function VersionPage(props: {
  model: string;
  version: number;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { model, version } = props;
  const detail = useResource(`model/${model}/${version}`, signal =>
    client.modelVersion(model, version, signal)
  );
  usePageTitle(`${model} ${version}`);
  return (
    <div className="atelier-PageBody">
      <Loaded
        resource={detail}
        failure={trans.__('The model version could not be read')}
        rows={12}
      >
        {data => <VersionView detail={data} />}
      </Loaded>
    </div>
  );
}

function VersionView(props: { detail: VersionDetail }): React.ReactElement {
  const { trans } = useStudio();
  const { version, run, endpoints } = props.detail;
  const action = useAction();
  return (
    <>
      <PageHeader
        title={trans.__('%1 version %2', version.model, version.version)}
        crumbs={[
          { label: trans.__('Models'), path: 'models' },
          { label: version.model, path: `model/${version.model}` }
        ]}
        chip={<VersionChip status={version.status} />}
        facts={<VersionFacts version={version} />}
        links={
          (run || endpoints.length > 0) && (
            <>
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
          )
        }
        actions={<VersionActions version={version} action={action} />}
      />
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <div
        className="atelier-Scroll"
        tabIndex={0}
        role="group"
        aria-label={trans.__('Details')}
      >
        {version.decided_at !== null && <Decision version={version} />}
        <VersionTables version={version} run={run} />
      </div>
    </>
  );
}

function VersionFacts(props: { version: VersionRecord }): React.ReactElement {
  const { version } = props;
  return (
    <>
      <span>{version.created_by}</span>
      <Time value={version.created_at} />
      <span>{version.format}</span>
      <span className="atelier-ellipsis" title={version.model_class}>
        {version.model_class}
      </span>
      {version.aliases.map(alias => (
        <span key={alias}>@{alias}</span>
      ))}
    </>
  );
}

/** Approve, reject and deploy; the one that comes next is the primary one. */
function VersionActions(props: {
  version: VersionRecord;
  action: ReturnType<typeof useAction>;
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
      <Button
        kind={isApproved ? 'primary' : 'plain'}
        label={action.isBusy ? trans.__('Working…') : trans.__('Deploy')}
        isBusy={action.isBusy}
        onClick={() => void askToDeploy(studio, version, action)}
      />
    </>
  );
}

function Decision(props: { version: VersionRecord }): React.ReactElement {
  const { trans } = useStudio();
  const { version } = props;
  return (
    <p className="atelier-Decision">
      {version.status === 'Approved'
        ? trans.__('Approved by %1', version.decided_by ?? '?')
        : version.status === 'Rejected'
          ? trans.__('Rejected by %1', version.decided_by ?? '?')
          : trans.__(
              'Put back to waiting by %1',
              version.decided_by ?? '?'
            )}{' '}
      <Time value={version.decided_at ?? version.created_at} />
      {version.note && (
        <>
          {': '}
          <q>{version.note}</q>
        </>
      )}
    </p>
  );
}

function VersionTables(props: {
  version: VersionRecord;
  run: RunRecord | null;
}): React.ReactElement {
  const { trans } = useStudio();
  const { version, run } = props;
  const { sample, signature } = version;
  const text = JSON.stringify(sample);
  const source = React.useMemo(() => {
    const names = signature?.columns.map(({ name }) => name) ?? [];
    const columns = names.length > 0 ? names : Object.keys(Object(sample[0]));
    return rowsSource(columns, sample);
  }, [text]);
  return (
    <>
      <div className="atelier-Columns">
        <FactTable
          caption={trans.__('Metrics of its run')}
          facts={metricFacts(run?.metrics ?? {})}
          empty={
            run
              ? trans.__('The run logged no metrics.')
              : trans.__('It was registered without a run.')
          }
        />
        <FactTable
          caption={trans.__('Parameters of its run')}
          facts={textFacts(run?.params ?? {})}
          empty={
            run
              ? trans.__('The run logged no parameters.')
              : trans.__('It was registered without a run.')
          }
        />
        <FactTable
          caption={trans.__('Libraries')}
          facts={textFacts(version.libraries)}
          empty={trans.__('No libraries were noted.')}
        />
      </div>
      {version.untrusted_types.length > 0 && (
        <p className="atelier-Reason">
          {trans.__(
            'Loading it runs code of these types, so load it only if you trust its author: %1',
            version.untrusted_types.join(', ')
          )}
        </p>
      )}
      <SignatureTable signature={signature} />
      {sample.length > 0 && (
        <section>
          <h2>{trans.__('Sample input')}</h2>
          <Grid label={trans.__('Sample input')} source={source} />
        </section>
      )}
      <FilesTable files={version.files} />
    </>
  );
}
