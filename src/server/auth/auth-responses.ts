// The answers to a request that does not get past the gate.
import { type ErrorCode, isExecstreamError } from '../../event/errors.ts';
import { isTransient, problem, problemOf } from '../../rest/problem.ts';
import { retryLater } from '../../sse/responses.ts';

/** The answer where a `Host` does not name this machine, and authentication is off. */
export function misdirected(): Response {
  const detail =
    'authentication is off, so that only loopback names are answered: localhost, 127.0.0.1, [::1]';
  return problem(421, 'MISDIRECTED_REQUEST', detail);
}

/**
 * The answer to a request whose caller could not be told: a problem, or GraphQL's errors where GraphQL was asked. A
 * refusal that passes lets an event stream come back (PROTOCOL.md, "Reconnecting").
 */
export function refusedAtGate(request: Request, isGraphQL: boolean, error: unknown): Response {
  const { code, message } = isExecstreamError(error)
    ? error
    : { code: 'INTERNAL' as ErrorCode, message: 'Unexpected error.' };
  if (isTransient(code) && request.headers.get('last-event-id') && request.method === 'GET') {
    return retryLater(message);
  }
  const refused = problemOf(code, message);
  const answer = isGraphQL ? inGraphQL(refused, code, message) : refused;
  if (code === 'UNAUTHENTICATED') answer.headers.set('WWW-Authenticate', challenge(request, message));
  return answer;
}

function inGraphQL({ status, headers }: Response, code: ErrorCode, message: string): Response {
  const answer = Response.json({ errors: [{ message, extensions: { code } }] }, { status });
  answer.headers.set('Content-Type', 'application/json; charset=utf-8');
  const retry = headers.get('Retry-After');
  if (retry) answer.headers.set('Retry-After', retry);
  return answer;
}

/** RFC 6750, 3: nothing but the scheme where no credentials came. An embedder's words may not fit into a header. */
function challenge(request: Request, message: string): string {
  if (!request.headers.has('authorization')) return 'Bearer';
  return `Bearer error="invalid_token", error_description="${message.replace(/[^ !#-[\]-~]/g, "'")}"`;
}
