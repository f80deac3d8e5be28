/** Versions side by side, of one model or several; only what differs, unless all is asked for. */
import * as React from 'react';

import type { ComparedRow, ComparisonReply, MetricValue } from '../api';
import {
  Loaded,
  LoadingState,
  SelectField,
  formatExact,
  formatNumber,
  toNumber
} from '../components';
import { formatPath, useResource, useStudio } from '../frame';
import { IVersionKey, compareVersions, findModels } from './calls';
import { formatVersion, formatVersions } from './versionKeys';

const CHOICES = 200;

export function VersionCompare(props: {
  versions: IVersionKey[];
}): React.ReactElement {
  const { client, trans } = useStudio();
  const [first] = props.versions;
  const [versions, setVersions] = React.useState<IVersionKey[]>(() =>
    props.versions.map(({ model, version }) => ({ model, version }))
  );
  const [isAll, setAll] = React.useState(false);
  const comparison = useResource<ComparisonReply | null>(
    `compared/${formatVersions(versions)}`,
    async signal =>
      versions.length > 1 ? compareVersions(client, versions, signal) : null
  );
  return (
    <div className="atelier-Compare">
      <div className="atelier-Compare-bar">
        <VersionChooser
          model={first.model}
          chosen={versions}
          onChoose={key => setVersions([...versions, key])}
        />
        <label className="atelier-Check">
          <input
            type="checkbox"
            checked={!isAll}
            onChange={event => setAll(!event.target.checked)}
          />
          <span>{trans.__('Differences only')}</span>
        </label>
      </div>
      {versions.length < 2 ? (
        <p className="atelier-muted">
          {trans.__('Choose another version to see where they differ.')}
        </p>
      ) : (
        <Loaded
          resource={comparison}
          failure={trans.__('The versions could not be compared')}
          rows={8}
        >
          {data =>
            data ? (
              <ComparisonTable
                comparison={data}
                isAll={isAll}
                onRemove={key =>
                  setVersions(
                    versions.filter(
                      other => formatVersion(other) !== formatVersion(key)
                    )
                  )
                }
              />
            ) : (
              <LoadingState />
            )
          }
        </Loaded>
      )}
    </div>
  );
}

/** Two choices: the model, and its version. */
function VersionChooser(props: {
  model: string;
  chosen: IVersionKey[];
  onChoose(key: IVersionKey): void;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const [model, setModel] = React.useState(props.model);
  const models = useResource('models-to-compare', async signal => {
    const page = await findModels(client, { limit: CHOICES }, signal);
    return page.models.map(({ name }) => name);
  });
  const versions = useResource(`versions-to-compare/${model}`, async signal => {
    const page = await client.versions(model, { limit: CHOICES }, signal);
    return page.versions;
  });
  const names = [...new Set([props.model, ...(models.data ?? [])])];
  const taken = new Set(props.chosen.map(formatVersion));
  const others = (versions.data ?? []).filter(
    version => !taken.has(formatVersion(version))
  );
  return (
    <>
      <SelectField
        label={trans.__('Model')}
        value={model}
        options={names.map(name => ({ value: name, label: name }))}
        onChange={setModel}
      />
      <SelectField
        label={trans.__('Add a version')}
        value=""
        options={[
          {
            value: '',
            label:
              others.length > 0 ? trans.__('Choose…') : trans.__('No other')
          },
          ...others.map(({ version, aliases, status }) => ({
            value: String(version),
            label: [
              trans.__('Version %1', version),
              ...aliases.map(alias => `@${alias}`),
              status === 'Approved' ? trans.__('approved') : ''
            ]
              .filter(part => part)
              .join(' ')
          }))
        ]}
        onChange={value =>
          value && props.onChoose({ model, version: Number(value) })
        }
      />
    </>
  );
}

function ComparisonTable(props: {
  comparison: ComparisonReply;
  isAll: boolean;
  onRemove(key: IVersionKey): void;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { comparison, isAll } = props;
  const { versions } = comparison;
  const rows = comparison.rows.filter(row => isAll || row.is_different);
  const labels: { [part: string]: string } = {
    version: trans.__('Version'),
    params: trans.__('Parameters of the run'),
    metrics: trans.__('Metrics of the run'),
    tags: trans.__('Tags'),
    signature: trans.__('Signature'),
    libraries: trans.__('Libraries'),
    files: trans.__('Files')
  };
  const parts = [...new Set(rows.map(({ part }) => part))];
  return (
    <div
      className="atelier-Compare-table"
      tabIndex={0}
      role="group"
      aria-label={trans.__('Comparison')}
    >
      <table aria-label={trans.__('Comparison')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('What')}</th>
            {versions.map((version, index) => (
              <th key={formatVersion(version)} scope="col">
                <button
                  type="button"
                  className="atelier-TextButton"
                  onClick={() =>
                    studio.open(
                      formatPath(
                        'model',
                        version.model,
                        String(version.version)
                      )
                    )
                  }
                >
                  {version.model} {version.version}
                </button>
                {index > 0 && (
                  <button
                    type="button"
                    className="atelier-IconButton"
                    aria-label={trans.__(
                      'Leave %1 out',
                      formatVersion(version)
                    )}
                    onClick={() => props.onRemove(version)}
                  >
                    ×
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        {parts.map(part => (
          <tbody key={part}>
            <tr>
              <th scope="rowgroup" colSpan={versions.length + 1}>
                <strong>{labels[part] ?? part}</strong>
              </th>
            </tr>
            {rows
              .filter(row => row.part === part)
              .map(row => (
                <Row key={row.name} row={row} />
              ))}
          </tbody>
        ))}
      </table>
      {rows.length === 0 && (
        <p className="atelier-muted">{trans.__('They do not differ.')}</p>
      )}
    </div>
  );
}

function Row(props: { row: ComparedRow }): React.ReactElement {
  const { row } = props;
  const isMetric = row.part === 'metrics';
  return (
    <tr data-different={row.is_different || undefined}>
      <th scope="row" title={row.name}>
        {row.name}
      </th>
      {row.values.map((value, index) => {
        const delta = isMetric && index > 0 ? deltaOf(row.values, index) : '';
        return (
          <td
            key={index}
            className={isMetric ? 'atelier-number' : undefined}
            title={
              value === null
                ? undefined
                : isMetric
                  ? formatExact(value as MetricValue)
                  : String(value)
            }
          >
            {value === null
              ? '—'
              : isMetric
                ? formatNumber(value as MetricValue)
                : String(value)}
            {delta && <span className="atelier-muted"> {delta}</span>}
          </td>
        );
      })}
    </tr>
  );
}

/** How far a number is from the first one, with its sign; empty if one of them is no number, or they are equal. */
export function deltaOf(values: ComparedRow['values'], index: number): string {
  const [from, to] = [values[0], values[index]].map(value =>
    value === null ? NaN : toNumber(value as MetricValue)
  );
  const delta = to - from;
  if (!Number.isFinite(delta) || delta === 0) {
    return '';
  }
  return `${delta > 0 ? '+' : ''}${formatNumber(delta)}`;
}
