// Responses to requests that fail authentication.
import { type ErrorCode, isExecstreamError } from '../../event/errors.ts';
import { isTransient, problem, problemOf } from '../../rest/problem.ts';
import type { Route } from '../../rest/route.ts';
import { retryLater } from '../../sse/responses.ts';

/** The response to a `Host` that does not name this machine, while authentication is off. */
export function misdirected(): Response {
  const detail = 'Host: expected a loopback name (localhost, 127.0.0.1, [::1]) while authentication is off';
  return problem(421, 'MISDIRECTED_REQUEST', detail);
}

/**
 * The response to a request that failed authentication: a problem document, or GraphQL's errors on GraphQL's paths. If
 * the error is transient, a reconnecting event stream gets a longer `retry:` delay (PROTOCOL.md, "Reconnecting").
 */
export function rejectUnauthenticated(request: Request, route: Route | undefined, error: unknown): Response {
  const { code, message } = isExecstreamError(error)
    ? error
    : { code: 'INTERNAL' as ErrorCode, message: 'Unexpected error.' };
  if (isTransient(code) && request.headers.get('last-event-id') && request.method === 'GET') {
    return retryLater(message);
  }
  const rejection = problemOf(code, message);
  const response = route?.errors === 'graphql' ? toGraphQLErrors(rejection, code, message) : rejection;
  if (code === 'UNAUTHENTICATED') response.headers.set('WWW-Authenticate', challenge(request, message));
  return response;
}

function toGraphQLErrors({ status, headers }: Response, code: ErrorCode, message: string): Response {
  const response = Response.json({ errors: [{ message, extensions: { code } }] }, { status });
  response.headers.set('Content-Type', 'application/json; charset=utf-8');
  const retry = headers.get('Retry-After');
  if (retry) response.headers.set('Retry-After', retry);
  return response;
}

/** RFC 6750, 3: only the scheme if no credentials were sent. Characters that a header cannot contain are replaced. */
function challenge(request: Request, message: string): string {
  if (!request.headers.has('authorization')) return 'Bearer';
  return `Bearer error="invalid_token", error_description="${message.replace(/[^ !#-[\]-~]/g, "'")}"`;
}
