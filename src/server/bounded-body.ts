// How much of a request's body GraphQL is handed: Yoga itself reads whatever comes.
import { readBounded } from '../rest/request-body.ts';

/**
 * The request, where its body is within the bound.
 * @param maxBytes of the body as it is sent
 * @returns 413 where it is larger
 */
export async function withBoundedBody(request: Request, maxBytes: number): Promise<Request | Response> {
  const declared = request.headers.get('content-length');
  // Node reads no further than what was declared.
  if (declared !== null && Number(declared) <= maxBytes) return request;
  if (declared === null && !request.headers.has('transfer-encoding')) return request;
  const body = await readBounded(request, maxBytes);
  if (!body) return tooLarge(maxBytes);
  const { method, headers, signal } = request;
  return new Request(request.url, { method, headers, signal, body: new Uint8Array(body) });
}

function tooLarge(maxBytes: number): Response {
  const message = `the body is larger than ${maxBytes} bytes`;
  const errors = [{ message, extensions: { code: 'BAD_USER_INPUT' } }];
  return Response.json({ errors }, { status: 413 });
}
