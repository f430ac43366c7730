// Listens, limits connections, and stops without cutting a stream off.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BurstGate } from '../async/burst-gate.ts';
import { problem } from '../rest/problem.ts';
import { ROUTES } from '../rest/routes.ts';
import { RESPONSE_HEADERS } from '../rest/security-headers.ts';
import { DEFAULT_STREAM_SETTINGS, type EventStreamSettings } from '../sse/stream-settings.ts';
import { takeAccessTokens } from './auth/access-token.ts';
import { misdirected } from './auth/auth-responses.ts';
import type { AuthenticationOptions } from './auth/authenticate.ts';
import { isLoopbackHost } from './auth/loopback.ts';
import { createConnections, useStallTimeout } from './connections.ts';
import { checkOrigins } from './cors-origins.ts';
import type { Execstream } from './create-execstream.ts';
import { createHandler } from './handler.ts';
import { DEFAULT_SERVER_LIMITS, type Limits } from './limits.ts';
import { checkOpenFiles, openFileLimit } from './open-files.ts';
import { logRefusedConnections } from './refused-connections.ts';
import { isRequestTarget, normalizeTarget } from './request-target.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0 selects a free port. */
  readonly port: number;
  /** Origins of other sites whose pages may use the server, such as `https://app.example.com`; `*` alone allows all. */
  readonly corsOrigins: readonly string[];
  /** How callers are authenticated. Without it every caller is anonymous, and `host` must be a loopback address. */
  readonly auth?: AuthenticationOptions | undefined;
  /** @default DEFAULT_LIMITS */
  readonly limits?: Limits | undefined;
  /**
   * After how many ms a client that reads nothing is disconnected.
   * @default `{ stalledMs: 60_000 }`
   */
  readonly streams?: Pick<EventStreamSettings, 'stalledMs'> | undefined;
  /**
   * Within how many ms a stopping server rotates its streams.
   * @default 5_000
   */
  readonly drainMs?: number | undefined;
}

export interface Server {
  /** Its origin, without a trailing slash. */
  readonly url: string;
  /**
   * Stops accepting, rotates every stream, waits for responses in progress, and releases its leases. A repeated call
   * waits for the first one.
   */
  close(): Promise<void>;
}

const DRAIN_MS = 5_000;
/** How long responses may take to finish after that. */
const GRACE_MS = 5_000;

/**
 * Starts to listen.
 * @throws the error of `listen` (`EADDRINUSE`, `EACCES`); ExecstreamError `CONFIG` if authentication is off and `host`
 *   can be reached from other machines, or if an origin is malformed.
 */
export async function listen(services: Execstream, options: ListenOptions): Promise<Server> {
  const { streams, logger } = services;
  const { limits = DEFAULT_SERVER_LIMITS, drainMs = DRAIN_MS, host, auth } = options;
  const corsOrigins = checkOrigins('corsOrigins', options.corsOrigins);
  const { stalledMs } = options.streams ?? DEFAULT_STREAM_SETTINGS;
  const { maxConnections, warning } = checkOpenFiles(limits, openFileLimit());
  if (warning) logger.warn?.({ maxConnections }, warning);
  const accessTokens = new WeakMap<IncomingMessage, readonly string[]>();
  const plugins = [useStallTimeout(stalledMs)];
  const handler = createHandler(services, { auth, host, corsOrigins, accessTokens, plugins });
  const gate = new BurstGate();

  const connections = createConnections({ ...limits, maxConnections }, (request, response) => {
    for (const [name, value] of Object.entries(RESPONSE_HEADERS)) response.setHeader(name, value);
    normalizeTarget(request);
    const tokens = takeAccessTokens(request);
    if (tokens.length > 0) accessTokens.set(request, tokens);
    const early = rejectionOf(request, auth !== undefined) ?? immediateResponse(request);
    if (early) return void send(response, early);
    void gate.pass().then(() => {
      // The client may have disconnected in the meantime.
      if (!response.destroyed) return handler(request, response);
    });
  });
  const { http } = connections;
  http.listen(options.port, options.host);
  await once(http, 'listening');
  const stopLogging = logRefusedConnections(http, logger);
  const stopWatching = services.watchParts();
  const { port } = http.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    const closed = connections.close(drainMs + GRACE_MS);
    streams.drain(drainMs);
    await closed;
    stopLogging();
    stopWatching();
    await services.close();
  }
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** The response to a request that is rejected before it reaches the handler. */
function rejectionOf(request: IncomingMessage, isAuthenticated: boolean): Response | undefined {
  if (!isRequestTarget(request)) return problem(400, 'BAD_USER_INPUT', 'not a path of a host');
  if (!isExpectationMet(request)) return problem(417, 'BAD_USER_INPUT', 'Expect: expected 100-continue');
  return isAuthenticated || isLoopbackHost(request.headers.host) ? undefined : misdirected();
}

function isExpectationMet({ headers: { expect } }: IncomingMessage): boolean {
  return expect === undefined || /^100-continue$/i.test(expect);
}

const IMMEDIATE_ROUTES = ROUTES.filter(({ immediate }) => immediate);

/** The response of a liveness probe: the process is live regardless of how many requests wait. */
function immediateResponse({ method, url, headers }: IncomingMessage): Response | undefined {
  // A page of another site needs the CORS headers that the handler adds.
  if (headers.origin !== undefined) return undefined;
  return IMMEDIATE_ROUTES.find((route) => route.path === url && route.method === method)?.immediate?.();
}

async function send(outgoing: ServerResponse, response: Response): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
}
