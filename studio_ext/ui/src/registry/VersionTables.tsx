/** What goes into a model version and comes out of it, and the files that it is kept in. */
import * as React from 'react';

import type { Signature, VersionRecord } from '../api';
import { formatBytes } from '../components';
import { useStudio } from '../frame';
import { modelFileUrl } from './calls';

/** Categories named in a line; the rest on hover. */
const CATEGORIES_SHOWN = 4;

export function SignatureTable(props: {
  signature: Signature | null;
}): React.ReactElement {
  const { trans } = useStudio();
  const { signature } = props;
  return (
    <section className="atelier-DataTable">
      <h2>{trans.__('Signature')}</h2>
      {!signature && (
        <p className="atelier-muted">
          {trans.__(
            'It was registered without a sample input, so what it takes is not known.'
          )}
        </p>
      )}
      {signature?.tensor && (
        <p>
          {trans.__(
            'Array of %1, shape (%2)',
            signature.tensor.dtype,
            signature.tensor.shape
              .map(size => (size === -1 ? trans.__('any') : String(size)))
              .join(' × ')
          )}
        </p>
      )}
      {signature && signature.columns.length > 0 && (
        <table aria-label={trans.__('Signature')}>
          <thead>
            <tr>
              <th scope="col">{trans.__('Column')}</th>
              <th scope="col">{trans.__('Type')}</th>
              <th scope="col">{trans.__('Missing')}</th>
              <th scope="col">{trans.__('Categories')}</th>
            </tr>
          </thead>
          <tbody>
            {signature.columns.map(column => (
              <tr key={column.name}>
                <th scope="row" title={column.name}>
                  {column.name}
                </th>
                <td>{column.type}</td>
                <td>
                  {column.nullable ? trans.__('allowed') : trans.__('refused')}
                </td>
                <td title={column.categories?.join(', ')}>
                  {shorten(column.categories ?? [])}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {signature?.classes && signature.classes.length > 0 && (
        <p>{trans.__('Classes: %1', signature.classes.join(', '))}</p>
      )}
    </section>
  );
}

function shorten(categories: unknown[]): string {
  const shown = categories.slice(0, CATEGORIES_SHOWN).join(', ');
  const rest = categories.length - CATEGORIES_SHOWN;
  return rest > 0 ? `${shown}, … +${rest}` : shown;
}

export function FilesTable(props: {
  version: VersionRecord;
}): React.ReactElement {
  const { trans } = useStudio();
  const { version } = props;
  return (
    <section className="atelier-DataTable">
      <h2>{trans.__('Files')}</h2>
      <table aria-label={trans.__('Files')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('File')}</th>
            <th scope="col" className="atelier-number">
              {trans.__('Size')}
            </th>
            <th scope="col">sha256</th>
            <th scope="col">{trans.__('Download')}</th>
          </tr>
        </thead>
        <tbody>
          {version.files.map(file => (
            <tr key={file.path}>
              <th scope="row" title={file.path}>
                {file.path}
              </th>
              <td className="atelier-number" title={`${file.size} B`}>
                {formatBytes(file.size)}
              </td>
              <td className="atelier-mono atelier-wrap">{file.sha256}</td>
              <td>
                <a
                  className="atelier-TextButton"
                  href={modelFileUrl(version, file.path)}
                  download={file.path.split('/').pop()}
                  aria-label={trans.__('Download %1', file.path)}
                >
                  {trans.__('Download')}
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
