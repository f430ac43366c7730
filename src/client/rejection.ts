// Rejected requests, as errors with a code.
import { type ErrorCode, ExecstreamError, isErrorCode } from '../event/errors.ts';

/** By status; a proxy's response has no code. */
const CODES: { readonly [status: number]: ErrorCode } = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  408: 'SOURCE_UNAVAILABLE',
  429: 'TOO_MANY_REQUESTS',
};

/** A GraphQL result with errors, or a problem document (RFC 9457). */
export interface Rejection {
  readonly code?: unknown;
  readonly detail?: string;
  readonly errors?: readonly {
    readonly message?: string;
    readonly extensions?: { readonly code?: unknown };
  }[];
}

/** The error of a response with a status of failure. */
export async function rejectionOf(response: Response): Promise<ExecstreamError> {
  const { status, headers } = response;
  const fallback = CODES[status] ?? (status < 500 ? 'BAD_USER_INPUT' : 'SOURCE_UNAVAILABLE');
  const body = await response.json().catch(() => undefined);
  return errorOf(body, fallback, `status ${status}`, headers.get('retry-after'));
}

/**
 * The error in the body of a response.
 * @param fallback the code of a body without one
 * @param retryAfter seconds or a date (RFC 9110, 10.2.3)
 */
export function errorOf(
  body: Rejection | null | undefined,
  fallback: ErrorCode,
  message = 'unknown error',
  retryAfter: string | null = null,
): ExecstreamError {
  const error = body?.errors?.[0];
  const code = error?.extensions?.code ?? body?.code;
  const retryAfterSeconds = Number(retryAfter) || (Date.parse(`${retryAfter}`) - Date.now()) / 1_000;
  return new ExecstreamError(isErrorCode(code) ? code : fallback, error?.message ?? body?.detail ?? message, {
    ...(retryAfterSeconds > 0 && { retryAfterSeconds }),
  });
}
