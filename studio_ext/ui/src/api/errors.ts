/** What a failed request means, in the server's words where it has said any. */
import { ErrorReply } from './types';

/** A request that the server refused, or that did not reach it. */
export class ApiError extends Error {
  constructor(options: ApiError.IOptions) {
    super(options.message);
    this.name = 'ApiError';
    this.code = options.code;
    this.status = options.status;
    this.details = options.details ?? '';
    this.position = options.position ?? null;
    this.field = options.field ?? null;
  }

  /** The class of the server's error, such as `NotFoundError`; `NetworkError` when the server was not reached. */
  readonly code: string;

  /** The HTTP status; 0 when the server was not reached. */
  readonly status: number;

  /** The raw reply, where it was not the JSON that Atelier's server sends. */
  readonly details: string;

  /** Where in a filter the fault is, from 1. */
  readonly position: number | null;

  /** Which field of a form the fault is in. */
  readonly field: string | null;
}

export namespace ApiError {
  export interface IOptions {
    code: string;
    status: number;
    message: string;
    details?: string;
    position?: number | null;
    field?: string | null;
  }

  /** The error of a reply that is not 2xx. */
  export function fromReply(
    status: number,
    statusText: string,
    body: string
  ): ApiError {
    const parsed = parseErrorReply(body);
    if (parsed) {
      return new ApiError({ ...parsed.error, status });
    }
    const reason =
      status === 403
        ? 'The server does not know this browser any more. Sign in again, then reload the page.'
        : status === 404
          ? 'The server has no such address. Is Atelier’s server extension enabled? Run: atelier doctor'
          : `The server answered ${status} ${statusText}`.trim() + '.';
    return new ApiError({
      code: `Http${status}`,
      status,
      message: reason,
      details: body.slice(0, 4000)
    });
  }

  /** Whatever was thrown, as an error of the API. */
  export function of(failure: unknown): ApiError {
    return failure instanceof ApiError ? failure : fromFailure(failure);
  }

  /** The error of a request that got no reply. */
  export function fromFailure(failure: unknown): ApiError {
    return new ApiError({
      code: 'NetworkError',
      status: 0,
      message:
        'The Jupyter server does not answer. Is it still running? Atelier tries again by itself.',
      details: failure instanceof Error ? failure.message : String(failure)
    });
  }
}

/** Read a body as `{error: {code, message}}`; null if it is anything else. */
function parseErrorReply(body: string): ErrorReply | null {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) {
    return null;
  }
  const { error, message } = value as { error?: unknown; message?: unknown };
  if (typeof error === 'object' && error !== null) {
    const inner = error as {
      code?: unknown;
      message?: unknown;
      position?: unknown;
      field?: unknown;
    };
    if (typeof inner.message === 'string') {
      return {
        error: {
          code: String(inner.code ?? 'Error'),
          message: inner.message,
          position: typeof inner.position === 'number' ? inner.position : null,
          field: typeof inner.field === 'string' ? inner.field : null
        }
      };
    }
  }
  if (typeof message === 'string' && message) {
    return {
      error: { code: 'HttpError', message, position: null, field: null }
    };
  }
  return null;
}
