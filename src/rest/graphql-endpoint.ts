// `/graphql`: limits the request's body and passes the request to GraphQL.
import { prefersPage } from '../http/negotiation.ts';
import { readBounded } from './request-body.ts';
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

/** The request, if its body is within the limit, which Yoga does not check; otherwise a 413. */
async function withBoundedBody(request: Request, maxBytes: number): Promise<Request | Response> {
  const declared = request.headers.get('content-length');
  // Node reads no more than the declared length.
  if (declared !== null && Number(declared) <= maxBytes) return request;
  if (declared === null && !request.headers.has('transfer-encoding')) return request;
  const body = await readBounded(request, maxBytes);
  if (!body) return tooLarge(maxBytes);
  const { method, headers, signal } = request;
  return new Request(request.url, { method, headers, signal, body: new Uint8Array(body) });
}

function tooLarge(maxBytes: number): Response {
  const message = `body: larger than ${maxBytes} bytes`;
  const errors = [{ message, extensions: { code: 'BAD_USER_INPUT' } }];
  return Response.json({ errors }, { status: 413 });
}
