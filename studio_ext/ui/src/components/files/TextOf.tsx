/** The content of a file, fetched once for each content. */
import * as React from 'react';

import { ApiError, ArtifactRecord } from '../../api';
import { ErrorState, LoadingState } from '..';
import { useStudio } from '../../frame';
import type { IFileSource } from './source';

/** What was read of a file, or why it could not be. */
export function useContent<T>(
  source: IFileSource,
  artifact: ArtifactRecord,
  read: (content: Blob) => Promise<T>
): { content: T | null; error: ApiError | null; retry(): void } {
  const [content, setContent] = React.useState<T | null>(null);
  const [error, setError] = React.useState<ApiError | null>(null);
  const [attempt, setAttempt] = React.useState(0);
  const reader = React.useRef(read);
  reader.current = read;
  const { path, sha256, media_type, created_at } = artifact;
  React.useEffect(() => {
    const controller = new AbortController();
    setError(null);
    source
      .read(path, controller.signal)
      .then(blob => reader.current(blob.slice(0, blob.size, media_type)))
      .then(value => controller.signal.aborted || setContent(value))
      .catch((failure: unknown) => {
        if (!controller.signal.aborted) {
          setError(
            failure instanceof ApiError
              ? failure
              : ApiError.fromFailure(failure)
          );
        }
      });
    return () => controller.abort();
  }, [source.key, path, sha256, created_at, media_type, attempt]);
  return { content, error, retry: () => setAttempt(attempt + 1) };
}

/** The text of a file, handed to its children. */
export function TextOf(props: {
  source: IFileSource;
  artifact: ArtifactRecord;
  children(text: string): React.ReactElement;
}): React.ReactElement {
  const { trans } = useStudio();
  const { content, error, retry } = useContent(
    props.source,
    props.artifact,
    blob => blob.text()
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
  return content === null ? <LoadingState rows={4} /> : props.children(content);
}
