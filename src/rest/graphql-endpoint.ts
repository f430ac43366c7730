// `/graphql`: limits the request's body and passes the request to GraphQL.
import { ACCEPTED_CODINGS, isCoded } from '../http/content-coding.ts';
import { prefersPage } from '../http/negotiation.ts';
import { MALFORMED_CODING, readDecoded, UNSUPPORTED_CODING } from './request-body.ts';
import type { RouteContext, RouteServices } from './route.ts';

export async function serveGraphQL(
  { request, caller }: RouteContext,
  { graphql, maxBodyBytes }: RouteServices,
): Promise<Response> {
  const bounded = await withBoundedBody(request, maxBodyBytes);
  return bounded instanceof Response ? bounded : graphql.fetch(bounded, caller);
}

/** Whether a browser requests GraphiQL, and not a query's result as a page. */
export function isGraphiqlRequest(request: Request): boolean {
  return prefersPage(request) && !new URL(request.url).searchParams.has('query');
}

/** The request with its body within the limit and without a content coding, which Yoga ignores; otherwise a response. */
async function withBoundedBody(request: Request, maxBytes: number): Promise<Request | Response> {
  if (isVerified(request)) {
    const declared = request.headers.get('content-length');
    if (declared !== null && Number(declared) <= maxBytes && !isCoded(request)) return request;
    if (declared === null && !request.headers.has('transfer-encoding')) return request;
  } else if (!request.body) return request;
  const body = await readDecoded(request, maxBytes);
  if (body === 'too large') return rejected(413, `body: larger than ${maxBytes} bytes`);
  if (body === 'malformed') return rejected(400, MALFORMED_CODING);
  if (body === 'unsupported')
    return rejected(415, UNSUPPORTED_CODING, { 'Accept-Encoding': ACCEPTED_CODINGS });
  const { method, signal } = request;
  const headers = new Headers(request.headers);
  headers.delete('content-encoding');
  headers.delete('content-length');
  return new Request(request.url, { method, headers, signal, body: new Uint8Array(body) });
}

/**
 * Whether the length that a request declares is true. Node's parser reads no more than that; the adapter's requests have
 * another class than those of the web platform, which may declare anything.
 */
function isVerified(request: object): boolean {
  return !(request instanceof globalThis.Request);
}

function rejected(status: number, message: string, headers: Record<string, string> = {}): Response {
  const errors = [{ message, extensions: { code: 'BAD_USER_INPUT' } }];
  return Response.json({ errors }, { status, headers });
}
