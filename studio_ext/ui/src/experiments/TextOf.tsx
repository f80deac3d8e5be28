/** The content of a file of a run, fetched once for each content. */
import * as React from 'react';

import { ApiError, ArtifactRecord, RunRecord } from '../api';
import { ErrorState, LoadingState } from '../components';
import { useStudio } from '../frame';

/** What was read of a file, or why it could not be. */
export function useContent<T>(
  run: Pick<RunRecord, 'id'>,
  artifact: Pick<ArtifactRecord, 'path' | 'sha256' | 'media_type'>,
  read: (content: Blob) => Promise<T>
): { content: T | null; error: ApiError | null; retry(): void } {
  const { client } = useStudio();
  const [content, setContent] = React.useState<T | null>(null);
  const [error, setError] = React.useState<ApiError | null>(null);
  const [attempt, setAttempt] = React.useState(0);
  const reader = React.useRef(read);
  reader.current = read;
  const { path, sha256, media_type } = artifact;
  React.useEffect(() => {
    const controller = new AbortController();
    setError(null);
    client
      .artifact(run.id, path, controller.signal)
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
  }, [client, run.id, path, sha256, media_type, attempt]);
  return { content, error, retry: () => setAttempt(attempt + 1) };
}

/** The text of a file, handed to its children. */
export function TextOf(props: {
  run: Pick<RunRecord, 'id'>;
  artifact: ArtifactRecord;
  children(text: string): React.ReactElement;
}): React.ReactElement {
  const { trans } = useStudio();
  const { content, error, retry } = useContent(
    props.run,
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
