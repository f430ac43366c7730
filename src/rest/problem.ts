// Problem documents (RFC 9457).
import { ERROR_CODES, type ErrorCode } from '../event/errors.ts';
import { RETRY_AFTER_SECONDS } from '../sse/responses.ts';

/** RFC 9110, 15. */
export const TITLES: { readonly [status: number]: string } = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Whether the same request may succeed later. */
export function isTransient(code: ErrorCode): boolean {
  return ERROR_CODES[code]?.retryable ?? false;
}

/**
 * The response for an error code.
 * @param retryAfterSeconds when to repeat the request, for a transient code
 */
export function problemOf(
  code: ErrorCode,
  detail: string,
  retryAfterSeconds: number = RETRY_AFTER_SECONDS,
): Response {
  const retry: Record<string, string> = isTransient(code) ? { 'Retry-After': String(retryAfterSeconds) } : {};
  return problem(ERROR_CODES[code]?.status ?? 500, code, detail, retry);
}

export const PROBLEM_TYPE = 'application/problem+json';

/** The response with a problem document. */
export function problem(
  status: number,
  code: string,
  detail: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(problemDocument(status, code, detail), {
    status,
    headers: { 'Content-Type': PROBLEM_TYPE, ...headers },
  });
}

/** A problem document as JSON. */
export function problemDocument(status: number, code: string, detail: string): string {
  return JSON.stringify({ type: 'about:blank', title: TITLES[status] ?? 'Error', status, detail, code });
}
