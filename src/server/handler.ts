// Serves a request: authentication, CORS, security headers and the routes. Everything here is independent of how the
// request arrives; node-listener.ts and fetch-handler.ts convert it.
import { BurstGate } from '../async/burst-gate.ts';
import { isExecstreamError } from '../event/errors.ts';
import type { Caller } from '../execution/permission.ts';
import { problemOf } from '../rest/problem.ts';
import type { RouteMatch } from '../rest/router.ts';
import { matchRoute } from '../rest/routes.ts';
import { retryLater } from '../sse/responses.ts';
import { misdirected, rejectUnauthenticated } from './auth/auth-responses.ts';
import { type AuthenticateOptions, createAuthenticate } from './auth/authenticate.ts';
import { isLoopbackHost } from './auth/loopback.ts';
import type { BasePath } from './base-path.ts';
import { createCors } from './cors.ts';
import type { Services } from './create-services.ts';

export interface HandlerOptions extends Omit<AuthenticateOptions, 'streamTokens'> {
  readonly basePath: BasePath;
}

export interface Handler {
  readonly basePath: BasePath;
  readonly isAuthenticated: boolean;
  readonly onError: (error: unknown) => void;
  /** The response to a host that does not name this machine, while authentication is off; otherwise undefined. */
  rejectHost(host: string | undefined): Response | undefined;
  /** Resolves when it is a request's turn, so that requests which arrive together do not block the event loop. */
  admit(): Promise<void>;
  /**
   * Serves a request. It never rejects.
   * @param request its URL has neither the base path nor stream tokens
   * @param accessTokens the different stream tokens that its URL had
   */
  handle(request: Request, accessTokens: readonly string[]): Promise<Response>;
  /** Resolves when no request is being handled. */
  idle(): Promise<void>;
  /** Rejects further requests with 503. */
  close(): void;
}

/** A browser's EventSource reconnects after a stream, but not after a 503 (PROTOCOL.md, "Reconnecting"). */
function rejectClosed({ method, headers }: Request): Response {
  const reason = 'server is closed';
  return method === 'GET' && headers.get('last-event-id')
    ? retryLater(reason)
    : problemOf('CAPACITY', reason);
}

export function createHandler(services: Services, options: HandlerOptions): Handler {
  const { rest, streamTokens, onError } = services;
  const { basePath, auth, corsOrigins } = options;
  const isAuthenticated = auth !== undefined;
  const authenticate = createAuthenticate({ ...options, streamTokens });
  const cors = createCors({ origins: corsOrigins, isAuthenticated, basePath: basePath.path });
  const gate = new BurstGate();
  const waiting: (() => void)[] = [];
  let isClosed = false;
  let inProgress = 0;

  async function serve(request: Request, match: RouteMatch, accessTokens: readonly string[]) {
    let caller: Caller;
    try {
      caller = await authenticate(request, match.route, accessTokens);
    } catch (error) {
      if (!isExecstreamError(error)) onError(error);
      return rejectUnauthenticated(request, match.route, error);
    }
    return rest(request, caller, match);
  }

  async function respond(request: Request, accessTokens: readonly string[]): Promise<Response> {
    const match = matchRoute(request);
    const response =
      cors.respond(request, match) ??
      (isClosed ? rejectClosed(request) : undefined) ??
      (await serve(request, match, accessTokens).catch((error) => {
        if (!request.signal.aborted) onError(error);
        return problemOf('INTERNAL', 'Unexpected error.');
      }));
    cors.setHeaders(request, response.headers);
    return response;
  }

  return {
    basePath,
    isAuthenticated,
    onError,
    rejectHost: (host) => (isAuthenticated || isLoopbackHost(host) ? undefined : misdirected()),
    admit: () => gate.pass(),
    async handle(request, accessTokens) {
      inProgress += 1;
      try {
        return await respond(request, accessTokens);
      } finally {
        inProgress -= 1;
        if (inProgress === 0) for (const resolve of waiting.splice(0)) resolve();
      }
    },
    idle: async () => {
      if (inProgress > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    close: () => {
      isClosed = true;
    },
  };
}
