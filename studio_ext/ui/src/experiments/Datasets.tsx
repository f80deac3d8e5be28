/** The datasets that a run read: name, digest, role, source and columns. */
import * as React from 'react';

import type { DatasetInput } from '../api';
import { useStudio } from '../frame';

interface ISchemaColumn {
  name: string;
  type: string;
}

export function Datasets(props: {
  inputs: DatasetInput[];
  count: number;
}): React.ReactElement | null {
  const { trans } = useStudio();
  const { inputs, count } = props;
  if (count === 0) {
    return null;
  }
  return (
    <section className="atelier-DataTable">
      <h2>{trans.__('Datasets')}</h2>
      <table aria-label={trans.__('Datasets')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('Dataset')}</th>
            <th scope="col">{trans.__('Role')}</th>
            <th scope="col">{trans.__('Digest')}</th>
            <th scope="col">{trans.__('Size')}</th>
            <th scope="col">{trans.__('Source')}</th>
            <th scope="col">{trans.__('Columns')}</th>
          </tr>
        </thead>
        <tbody>
          {inputs.map(input => (
            <tr key={`${input.name}/${input.digest}/${input.context ?? ''}`}>
              <th scope="row">{input.name}</th>
              <td>{input.context}</td>
              <td className="atelier-mono">{input.digest}</td>
              <td>{sizeOf(input.profile, trans)}</td>
              <td className="atelier-wrap">{sourceOf(input)}</td>
              <td>
                <Columns columns={readSchema(input.schema)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {count > inputs.length && (
        <p className="atelier-muted">
          {trans.__('And %1 more: run.inputs', count - inputs.length)}
        </p>
      )}
    </section>
  );
}

function Columns(props: {
  columns: ISchemaColumn[];
}): React.ReactElement | null {
  const { columns } = props;
  if (columns.length === 0) {
    return null;
  }
  return (
    <details>
      <summary>{columns.length}</summary>
      <ul className="atelier-Schema">
        {columns.slice(0, 500).map(({ name, type }, index) => (
          <li key={index}>
            {name} <span className="atelier-muted">{type}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** The columns in a dataset's schema: Atelier's form, or that of MLflow's column specification; none if unreadable. */
export function readSchema(text: string): ISchemaColumn[] {
  const parsed = parse(text);
  const columns = parsed.columns ?? parsed.mlflow_colspec;
  return Array.isArray(columns)
    ? columns.map((column: { [key: string]: unknown }) => ({
        name: String(column?.name ?? ''),
        type: String(column?.type ?? '')
      }))
    : [];
}

function sizeOf(
  profile: string,
  trans: { __(text: string, ...args: unknown[]): string }
): string {
  const rows = parse(profile).num_rows;
  return typeof rows === 'number'
    ? trans.__('%1 rows', rows.toLocaleString())
    : '';
}

function sourceOf(input: DatasetInput): string {
  const { uri, path, url } = parse(input.source);
  return (
    [uri, path, url].find(text => typeof text === 'string')?.toString() ??
    input.source_type
  );
}

function parse(text: string): { [key: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null
      ? (value as { [key: string]: unknown })
      : {};
  } catch {
    return {};
  }
}
