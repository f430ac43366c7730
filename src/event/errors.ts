// The one error class, and the one table of its codes: what each means, its HTTP status, and whether a retry can succeed.

interface CodeDescription {
  /** Status of an HTTP response that reports the error. */
  readonly status: number;
  /** Whether the same request can succeed later without a change by the caller. */
  readonly retryable: boolean;
}

/** Every error code. Only the edge (graphql/, rest/) turns a code into a response. */
export const ERROR_CODES = {
  /** No such execution, one of another kind, or one that the caller may not know about. */
  NOT_FOUND: { status: 404, retryable: false },
  FORBIDDEN: { status: 403, retryable: false },
  UNAUTHENTICATED: { status: 401, retryable: false },
  /** A cursor that is not of the form `<seq>-<epoch>`. */
  BAD_CURSOR: { status: 400, retryable: false },
  BAD_USER_INPUT: { status: 400, retryable: false },
  /** The caller has too many open streams, or opens them too fast. */
  TOO_MANY_STREAMS: { status: 429, retryable: true },
  /** The caller makes requests of one kind faster than its quota. */
  TOO_MANY_REQUESTS: { status: 429, retryable: true },
  /** The server is at a limit, regardless of the caller; another server may accept the request. */
  CAPACITY: { status: 503, retryable: true },
  /** Redis, the database or Temporal is unavailable. The outcome of a write is unknown. */
  SOURCE_UNAVAILABLE: { status: 503, retryable: true },
  /** An entry of the log is not a valid event: another client has written to its key, and may repair it. */
  LOG_CORRUPT: { status: 503, retryable: true },
  /** Redis lost events that it had acknowledged; the publisher starts a new epoch. */
  LOG_LOST: { status: 503, retryable: true },
  /** An older attempt or a second publisher: another one has the execution now. */
  SUPERSEDED: { status: 409, retryable: false },
  /** The execution has ended; nothing follows a terminal event. */
  ENDED: { status: 409, retryable: false },
  /** An event's data, or a value, is above its limit. */
  EVENT_TOO_LARGE: { status: 413, retryable: false },
  /** A setting is wrong, or what it names cannot be used. */
  CONFIG: { status: 500, retryable: false },
  /** A fault of execstream's own. Its message is not shown to callers. */
  INTERNAL: { status: 500, retryable: false },
} as const satisfies { readonly [code: string]: CodeDescription };

export type ErrorCode = keyof typeof ERROR_CODES;

/** Whether a value is one of the error codes. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
}

/** An error with a message that may be shown to a caller (except for `INTERNAL`). */
export class ExecstreamError extends Error {
  override readonly name = 'ExecstreamError';
  declare readonly code: ErrorCode;
  /** Seconds after which the same request can succeed, if that is known. */
  declare readonly retryAfterSeconds: number | undefined;

  /** @param options `cause`: the underlying error, for the log */
  constructor(
    code: ErrorCode,
    message: string,
    { retryAfterSeconds, ...options }: ErrorOptions & { readonly retryAfterSeconds?: number } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Whether the same request can succeed later without a change by the caller. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}

/** Whether an error is an ExecstreamError, of this code if one is given. */
export function isExecstreamError(error: unknown, code?: ErrorCode): error is ExecstreamError {
  return error instanceof ExecstreamError && (code === undefined || error.code === code);
}

/** The error for an argument, option or value that the caller has to correct. */
export function invalidInput(message: string, options?: ErrorOptions): ExecstreamError {
  return new ExecstreamError('BAD_USER_INPUT', message, options);
}

/**
 * Checks an object that callers without types may leave out, such as one that they create only in some environments.
 * @param expected what the caller has to pass, and how it is created
 * @throws ExecstreamError `CONFIG`, naming the option
 */
export function requireObject(name: string, value: unknown, expected: string): void {
  if (typeof value === 'object' && value !== null) return;
  throw new ExecstreamError(
    'CONFIG',
    `${name}: expected ${expected}, got ${value === null ? value : typeof value}`,
  );
}
