// The one error class. Its code says what a caller can do; only the edge (graphql/, rest/) turns it into a status.

export type ErrorCode =
  /** No such execution, one of another kind, or one that the caller may not know of. */
  | 'NOT_FOUND'
  | 'FORBIDDEN'
  | 'UNAUTHENTICATED'
  /** A cursor that is not of the form `<seq>-<epoch>`. */
  | 'BAD_CURSOR'
  | 'BAD_USER_INPUT'
  | 'TOO_MANY_STREAMS'
  /** The caller makes requests of one kind faster than its quota. */
  | 'TOO_MANY_REQUESTS'
  /** Redis, the database or Temporal does not answer for now; the same call may go through later. */
  | 'SOURCE_UNAVAILABLE'
  /** An older attempt or a second publisher: another one has the execution now. */
  | 'SUPERSEDED'
  /** The execution has ended; nothing follows a terminal event. */
  | 'ENDED'
  /** An event's data is above 64 KiB. */
  | 'EVENT_TOO_LARGE'
  | 'INTERNAL';

/** An error that tells its reader what was wrong, in words that may be shown to a caller. */
export class ExecstreamError extends Error {
  override readonly name = 'ExecstreamError';
  readonly code: ErrorCode;
  /** After how many seconds the same request can succeed, if that is known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    { retryAfterSeconds, ...options }: ErrorOptions & { readonly retryAfterSeconds?: number } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What was wrong, in the words of whoever threw it; anything may have been thrown. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'an error that cannot be written';
  }
}

/** Whether an error has this code (or is ours at all, if none is named). */
export function isExecstreamError(error: unknown, code?: ErrorCode): error is ExecstreamError {
  return error instanceof ExecstreamError && (code === undefined || error.code === code);
}
