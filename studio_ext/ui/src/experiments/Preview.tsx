/** What is in a file of a run, shown without executing anything in it; anything else can be downloaded. */
import * as React from 'react';

import type { ArtifactRecord, RunRecord } from '../api';
import { formatBytes, openMenu } from '../components';
import { useStudio } from '../frame';
import { PreviewContent } from './PreviewContent';
import { baseName } from './fileTree';
import { previewKind } from './previewKinds';

export function Preview(props: {
  run: Pick<RunRecord, 'id'>;
  artifact: ArtifactRecord;
}): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { run, artifact } = props;
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
                  onSelect: () =>
                    void studio.copy(artifactCode(run.id, artifact.path))
                },
                {
                  label: 'sha256',
                  onSelect: () => void studio.copy(artifact.sha256)
                }
              ])
            }
          >
            {trans.__('Copy…')}
          </button>
          <a
            className="atelier-Button"
            data-kind="plain"
            href={client.artifactUrl(run.id, artifact.path)}
            download={baseName(artifact.path)}
          >
            {trans.__('Download')}
          </a>
        </div>
      </div>
      <div className="atelier-Facts">
        <span>{artifact.media_type}</span>
        <span>{formatBytes(artifact.size)}</span>
        <span className="atelier-mono atelier-ellipsis" title={artifact.sha256}>
          sha256 {artifact.sha256.slice(0, 12)}
        </span>
      </div>
      <PreviewContent run={run} artifact={artifact} kind={kind} />
    </section>
  );
}

/** The code that opens a file of a run in a notebook. */
export function artifactCode(runId: string, path: string): string {
  return [
    'import kernel_tools as kt',
    '',
    `run = kt.experiments.get_run(${JSON.stringify(runId)})`,
    `with run.open_artifact(${JSON.stringify(path)}) as file:`,
    '    content = file.read()'
  ].join('\n');
}
