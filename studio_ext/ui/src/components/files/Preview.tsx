/** What is in a file, shown without executing anything in it; anything else can be downloaded. */
import * as React from 'react';

import type { ArtifactRecord } from '../../api';
import { formatBytes, openMenu } from '..';
import { useStudio } from '../../frame';
import { PreviewContent } from './PreviewContent';
import { baseName } from './fileTree';
import { previewKind } from './previewKinds';
import type { IFileSource } from './source';

export function Preview(props: {
  source: IFileSource;
  artifact: ArtifactRecord;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { source, artifact } = props;
  const kind = previewKind(artifact);
  return (
    <section
      className="atelier-Preview"
      aria-label={trans.__('Content of %1', artifact.path)}
    >
      <div className="atelier-Header-line">
        <h2 className="atelier-ellipsis" title={artifact.path}>
          {artifact.path}
        </h2>
        <div className="atelier-Buttons">
          <button
            type="button"
            className="atelier-Button"
            data-kind="plain"
            aria-haspopup="menu"
            onClick={event =>
              openMenu(event.currentTarget, [
                {
                  label: trans.__('Path'),
                  onSelect: () => void studio.copy(artifact.path)
                },
                {
                  label: trans.__('As Python'),
                  onSelect: () => void studio.copy(source.code(artifact.path))
                },
                ...(artifact.sha256
                  ? [
                      {
                        label: 'sha256',
                        onSelect: () => void studio.copy(artifact.sha256)
                      }
                    ]
                  : [])
              ])
            }
          >
            {trans.__('Copy…')}
          </button>
          <a
            className="atelier-Button"
            data-kind="plain"
            href={source.url(artifact.path)}
            download={baseName(artifact.path)}
          >
            {trans.__('Download')}
          </a>
        </div>
      </div>
      <div className="atelier-Facts">
        <span>{artifact.media_type}</span>
        <span>{formatBytes(artifact.size)}</span>
        {artifact.sha256 && (
          <span
            className="atelier-mono atelier-ellipsis"
            title={artifact.sha256}
          >
            sha256 {artifact.sha256.slice(0, 12)}
          </span>
        )}
      </div>
      <PreviewContent source={source} artifact={artifact} kind={kind} />
    </section>
  );
}
