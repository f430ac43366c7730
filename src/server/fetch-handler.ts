// The handler as `fetch`: for frameworks and runtimes whose requests and responses are those of the web platform.
import { Response as AdapterResponse } from '@whatwg-node/server';
import { problemOf } from '../rest/problem.ts';
import { notFound } from '../rest/router.ts';
import { setResponseHeaders } from '../rest/security-headers.ts';
import { takeAccessTokens } from './auth/access-token.ts';
import { hostOf } from './auth/loopback.ts';
import type { Handler } from './handler.ts';

export type Fetch = (request: Request) => Promise<Response>;

/** Creates the `fetch` of a handler. It never rejects. */
export function createFetch({ basePath, rejectHost, admit, handle, onError }: Handler): Fetch {
  async function respond(request: Request): Promise<Response> {
    const { origin, pathname, search } = new URL(request.url);
    const target = { url: `${pathname}${search}` };
    const accessTokens = takeAccessTokens(target);
    const path = basePath.strip(target.url);
    if (path === undefined) return notFound(pathname);
    const rejection = rejectHost(hostOf(request));
    if (rejection) return rejection;
    if (request.bodyUsed) {
      throw new Error('the body of a request was read by middleware: mount execstream before it');
    }
    await admit();
    return toNative(await handle(withUrl(request, `${origin}${path}`), accessTokens));
  }

  return async (request) => {
    const response = await respond(request).catch((error) => {
      onError(error);
      return problemOf('INTERNAL', 'Unexpected error.');
    });
    setResponseHeaders(response.headers);
    return response;
  };
}

/** The request with another URL. Frameworks pass classes that `new Request(url, request)` does not recognize. */
function withUrl(request: Request, url: string): Request {
  if (url === request.url) return request;
  const { method, headers, body, signal } = request;
  const init = { method, headers, signal, ...(body && { body, duplex: 'half' }) };
  return new Request(url, init as RequestInit);
}

/**
 * On Node, Yoga creates responses of the adapter's own class, which frameworks do not recognize. They are never streams:
 * those are created by sse/responses.ts.
 */
async function toNative(response: Response): Promise<Response> {
  if (AdapterResponse === globalThis.Response || !(response instanceof AdapterResponse)) return response;
  const { status, headers } = response;
  return new Response(response.body && (await response.arrayBuffer()), { status, headers: [...headers] });
}
