// The handler as a listener of Node's HTTP servers: for `listen`, and for frameworks whose requests and responses are
// those of Node.
import type { ServerResponse } from 'node:http';
import { createServerAdapter, type ServerAdapterPlugin } from '@whatwg-node/server';
import { problem, problemOf } from '../rest/problem.ts';
import { notFound } from '../rest/router.ts';
import { ROUTES } from '../rest/routes.ts';
import { RESPONSE_HEADERS } from '../rest/security-headers.ts';
import { misdirected } from './auth/auth-responses.ts';
import { isLoopbackAddress } from './auth/loopback.ts';
import type { Handler } from './handler.ts';
import { type FrameworkRequest, type NodeContext, type NodeRequest, toNodeRequest } from './node-request.ts';
import { isRequestTarget } from './request-target.ts';

/**
 * Serves a request of Node's HTTP server.
 * @param next called in place of a response if the request is outside the base path, as by middleware of Express
 */
export type NodeListener = (request: FrameworkRequest, response: ServerResponse, next?: () => void) => void;

/**
 * Creates the listener of a handler.
 * @internal
 */
export function createNodeListener(
  { basePath, rejectHost, isAuthenticated, admit, handle, onError }: Handler,
  plugins: readonly ServerAdapterPlugin<NodeContext>[] = [],
): NodeListener {
  const adapter = createServerAdapter<NodeContext>(
    (request: Request, { req }) => handle(request, req.accessTokens),
    { plugins: [...plugins] },
  );

  /** The response to a request that is rejected before it reaches the handler. */
  function rejectionOf(request: NodeRequest): Response | undefined {
    const { headers, localAddress } = request;
    if (!isRequestTarget(request)) return problem(400, 'BAD_USER_INPUT', 'not a path of a host');
    if (!isExpectationMet(headers.expect)) {
      return problem(417, 'BAD_USER_INPUT', 'Expect: expected 100-continue');
    }
    // A framework may listen on every address; then `Host` alone would not keep others out.
    if (!isAuthenticated && !isLoopbackAddress(localAddress)) return misdirected();
    return rejectHost(headers.host ?? (headers[':authority'] as string | undefined));
  }

  return (incoming, response, next) => {
    let request: NodeRequest;
    try {
      request = toNodeRequest(incoming);
    } catch (error) {
      onError(error);
      return send(response, problemOf('INTERNAL', 'Unexpected error.'));
    }
    const path = basePath.strip(request.url);
    if (path === undefined && next) return next();
    const rejection = rejectionOf(request);
    if (rejection) return send(response, rejection);
    if (path === undefined) return send(response, notFound(request.url.split('?', 1)[0]!));
    request.url = path;
    const immediate = immediateResponse(request);
    if (immediate) return send(response, immediate);
    for (const [name, value] of Object.entries(RESPONSE_HEADERS)) response.setHeader(name, value);
    void admit().then(() => {
      // The client may have disconnected in the meantime.
      if (!response.destroyed) return adapter.requestListener(request as never, response);
    });
  };
}

function isExpectationMet(expect: string | undefined): boolean {
  return expect === undefined || /^100-continue$/i.test(expect);
}

const IMMEDIATE_ROUTES = ROUTES.filter(({ immediate }) => immediate);

/** The response of a liveness probe: the process is live regardless of how many requests wait. */
function immediateResponse({ method, url, headers }: NodeRequest): Response | undefined {
  // A page of another site needs the CORS headers that the handler adds.
  if (headers.origin !== undefined) return undefined;
  return IMMEDIATE_ROUTES.find((route) => route.path === url && route.method === method)?.immediate?.();
}

function send(outgoing: ServerResponse, response: Response): void {
  const headers = { ...RESPONSE_HEADERS, ...Object.fromEntries(response.headers) };
  void response.text().then((body) => outgoing.writeHead(response.status, headers).end(body));
}
