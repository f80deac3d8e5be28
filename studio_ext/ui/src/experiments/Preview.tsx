/** What is in a file of a run: a figure, a picture, a text; anything else can be downloaded. */
import * as React from 'react';

import { ApiError, ArtifactRecord, RunRecord } from '../api';
import {
  ErrorState,
  Figure,
  IFigure,
  LoadingState,
  formatBytes,
  isFigure
} from '../components';
import { useStudio } from '../frame';

/** Bytes that are shown; a larger file is downloaded. */
const LARGEST_TEXT = 1024 * 1024;
const LARGEST_PICTURE = 20 * 1024 * 1024;

type Kind = 'figure' | 'picture' | 'text' | 'none';

type Content =
  | { kind: 'figure'; figure: IFigure }
  | { kind: 'picture'; url: string }
  | { kind: 'text'; text: string };

export function Preview(props: {
  run: RunRecord;
  artifact: ArtifactRecord;
}): React.ReactElement {
  const { client, trans } = useStudio();
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
        <a
          className="atelier-Button"
          data-kind="plain"
          href={client.artifactUrl(run.id, artifact.path)}
          download={artifact.path.split('/').pop()}
        >
          {trans.__('Download')}
        </a>
      </div>
      <div className="atelier-Facts">
        <span>{artifact.media_type}</span>
        <span>{formatBytes(artifact.size)}</span>
        <span className="atelier-mono atelier-ellipsis" title={artifact.sha256}>
          sha256 {artifact.sha256.slice(0, 12)}
        </span>
      </div>
      {kind === 'none' ? (
        <p className="atelier-muted">
          {trans.__('This file is not shown here; download it to look at it.')}
        </p>
      ) : (
        <PreviewContent {...props} kind={kind} />
      )}
    </section>
  );
}

function PreviewContent(props: {
  run: RunRecord;
  artifact: ArtifactRecord;
  kind: Kind;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { run, artifact, kind } = props;
  const type = artifact.media_type;
  const [content, setContent] = React.useState<Content | null>(null);
  const [error, setError] = React.useState<ApiError | null>(null);
  const [attempt, setAttempt] = React.useState(0);
  React.useEffect(() => {
    const controller = new AbortController();
    let url = '';
    setError(null);
    client
      .artifact(run.id, artifact.path, controller.signal)
      .then(blob => readContent(blob.slice(0, blob.size, type), kind))
      .then(read => {
        url = read.kind === 'picture' ? read.url : '';
        if (controller.signal.aborted) {
          URL.revokeObjectURL(url);
        } else {
          setContent(read);
        }
      })
      .catch((failure: unknown) => {
        if (!controller.signal.aborted) {
          setError(
            failure instanceof ApiError
              ? failure
              : ApiError.fromFailure(failure)
          );
        }
      });
    return () => {
      controller.abort();
      URL.revokeObjectURL(url);
    };
  }, [client, run.id, artifact.path, type, kind, attempt]);

  if (error) {
    return (
      <ErrorState
        title={trans.__('The file could not be read')}
        error={error}
        retry={() => setAttempt(attempt + 1)}
      />
    );
  }
  if (kind === 'figure' && (!content || content.kind === 'figure')) {
    return (
      <Figure
        title={artifact.path.replace(/\.plotly\.json$/, '')}
        figure={content?.kind === 'figure' ? content.figure : null}
        height={380}
      />
    );
  }
  switch (content?.kind) {
    case 'picture':
      return <img src={content.url} alt={artifact.path} />;
    case 'text':
      return (
        <pre tabIndex={0} className="atelier-Preview-text">
          {content.text}
        </pre>
      );
    default:
      return <LoadingState rows={6} />;
  }
}

/** How a file is shown, by its name, type and size. */
export function previewKind(
  artifact: Pick<ArtifactRecord, 'path' | 'media_type' | 'size'>
): Kind {
  const { path, media_type: type, size } = artifact;
  if (path.endsWith('.plotly.json')) {
    return size <= LARGEST_PICTURE ? 'figure' : 'none';
  }
  if (/^image\/(png|jpeg|gif|webp|svg\+xml)$/.test(type)) {
    return size <= LARGEST_PICTURE ? 'picture' : 'none';
  }
  const isText =
    type.startsWith('text/') ||
    /^application\/(json|yaml|x-yaml|toml|xml)$/.test(type) ||
    /\.(json|md|txt|csv|ya?ml|toml|py|log)$/.test(path);
  return isText && size <= LARGEST_TEXT ? 'text' : 'none';
}

async function readContent(blob: Blob, kind: Kind): Promise<Content> {
  if (kind === 'picture') {
    return { kind, url: URL.createObjectURL(blob) };
  }
  const text = await blob.text();
  if (kind === 'figure') {
    const parsed = parseJson(text);
    if (isFigure(parsed)) {
      return { kind, figure: parsed };
    }
  }
  return { kind: 'text', text: pretty(text) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** JSON with line breaks; any other text as it is. */
function pretty(text: string): string {
  const parsed = parseJson(text);
  return typeof parsed === 'object' && parsed !== null
    ? JSON.stringify(parsed, null, 2)
    : text;
}
