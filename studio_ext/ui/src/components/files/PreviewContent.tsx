/** The content of a file in the form that fits it. */
import * as React from 'react';

import type { ArtifactRecord } from '../../api';
import {
  Code,
  Diff,
  ErrorState,
  Figure,
  LoadingState,
  Markdown,
  isFigure
} from '..';
import { useStudio } from '../../frame';
import { NotebookView } from './NotebookView';
import { TablePreview } from './TablePreview';
import { TextOf, useContent } from './TextOf';
import { PreviewKind, languageOf } from './previewKinds';
import type { IFileSource } from './source';

interface IContentProps {
  source: IFileSource;
  artifact: ArtifactRecord;
}

export function PreviewContent(
  props: IContentProps & { kind: PreviewKind }
): React.ReactElement {
  const { trans } = useStudio();
  const { kind, artifact } = props;
  switch (kind) {
    case 'none':
      return (
        <p className="atelier-muted">
          {trans.__('This file is not shown here; download it to look at it.')}
        </p>
      );
    case 'large':
      return (
        <p className="atelier-muted">
          {trans.__(
            'This file is too large to be shown here; download it to look at it.'
          )}
        </p>
      );
    case 'picture':
    case 'audio':
    case 'video':
      return <Media {...props} kind={kind} />;
    case 'table':
      return <TablePreview {...props} />;
    default:
      return (
        <TextOf {...props}>
          {text => <TextContent text={text} kind={kind} path={artifact.path} />}
        </TextOf>
      );
  }
}

function TextContent(props: {
  text: string;
  kind: PreviewKind;
  path: string;
}): React.ReactElement {
  const { text, kind, path } = props;
  switch (kind) {
    case 'figure':
    case 'json':
      return <JsonContent {...props} />;
    case 'markdown':
      return <Markdown text={text} />;
    case 'html':
      return <HtmlContent {...props} />;
    case 'notebook':
      return <NotebookView text={text} />;
    case 'diff':
      return <Diff text={text} />;
    case 'code':
      return <Code code={text} language={languageOf(path)} />;
    default:
      return <Plain text={text} />;
  }
}

function Plain(props: { text: string }): React.ReactElement {
  return (
    <pre tabIndex={0} className="atelier-Preview-text">
      {props.text}
    </pre>
  );
}

/** A figure if it is one, else the text with line breaks. */
function JsonContent(props: {
  text: string;
  path: string;
}): React.ReactElement {
  const parsed = React.useMemo(() => parseJson(props.text), [props.text]);
  if (isFigure(parsed)) {
    return (
      <Figure
        title={props.path.replace(/(\.plotly)?\.json$/, '')}
        figure={parsed}
        height={380}
      />
    );
  }
  return typeof parsed === 'object' && parsed !== null ? (
    <Code code={JSON.stringify(parsed, null, 2)} language="json" />
  ) : (
    <Plain text={props.text} />
  );
}

/** What a page in a frame may load: nothing but what it brings itself. */
const FRAME_POLICY =
  "default-src 'none'; img-src data: blob:; media-src data:; font-src data:; style-src 'unsafe-inline'";

/** A page in a frame of its own origin that runs no script, opens nothing and asks no other server. */
function HtmlContent(props: {
  text: string;
  path: string;
}): React.ReactElement {
  const { trans } = useStudio();
  const policy = `<meta http-equiv="Content-Security-Policy" content="${FRAME_POLICY}">`;
  return (
    <>
      <p className="atelier-muted">
        {trans.__(
          'Shown without its scripts and without anything from other servers. Download it to see it whole.'
        )}
      </p>
      <iframe
        className="atelier-Preview-frame"
        title={props.path}
        sandbox=""
        referrerPolicy="no-referrer"
        srcDoc={policy + props.text}
      />
    </>
  );
}

/** A picture, which a browser never lets run anything, or a recording. */
function Media(
  props: IContentProps & { kind: 'picture' | 'audio' | 'video' }
): React.ReactElement {
  const { trans } = useStudio();
  const { source, artifact, kind } = props;
  const { content, error, retry } = useContent(source, artifact, async blob =>
    URL.createObjectURL(blob)
  );
  React.useEffect(
    () => () => {
      if (content) {
        URL.revokeObjectURL(content);
      }
    },
    [content]
  );
  if (error) {
    return (
      <ErrorState
        title={trans.__('The file could not be read')}
        error={error}
        retry={retry}
      />
    );
  }
  if (content === null) {
    return <LoadingState rows={6} />;
  }
  switch (kind) {
    case 'picture':
      return <img src={content} alt={artifact.path} />;
    case 'audio':
      return <audio controls src={content} aria-label={artifact.path} />;
    default:
      return <video controls src={content} aria-label={artifact.path} />;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
