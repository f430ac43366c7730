// Listens, hands each request to GraphQL or REST, and stops without cutting a stream off.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServerAdapter, type ServerAdapterPlugin, useCORS } from '@whatwg-node/server';
import { BurstGate } from '../async/burst-gate.ts';
import { isExecstreamError } from '../event/errors.ts';
import type { Caller } from '../execution/permission.ts';
import { live } from '../rest/health.ts';
import { problem, problemOf } from '../rest/problem.ts';
import type { EventStreamSettings } from '../sse/event-stream.ts';
import { DEFAULT_STREAM_SETTINGS } from '../sse/event-streams.ts';
import { takeAccessToken } from './auth/access-token.ts';
import { misdirected, refusedAtGate } from './auth/auth-responses.ts';
import { type AuthenticationOptions, createGate } from './auth/authenticate.ts';
import { isLoopbackHost } from './auth/loopback.ts';
import { withBoundedBody } from './bounded-body.ts';
import { createConnections, useStallTimeout } from './connections.ts';
import type { Services } from './create-execstream.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { checkOpenFiles, openFileLimit } from './open-files.ts';
import { protect, usePageHeaders } from './page-headers.ts';
import { logRefusedConnections } from './refused-connections.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly corsOrigins: readonly string[];
  /** How callers are known. Absent: not at all; `host` must then be a loopback address. */
  readonly auth?: AuthenticationOptions | undefined;
  readonly limits?: Limits | undefined;
  /** When a client that reads nothing is disconnected; after 60 s by default. */
  readonly streams?: Pick<EventStreamSettings, 'stalledMs'> | undefined;
  /** Within how many ms a server that stops has rotated its streams; 5 s by default. */
  readonly drainMs?: number | undefined;
}

export interface Server {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** Ends: accepts nothing new, rotates every stream, lets what is being answered finish, gives its leases back. */
  close(): Promise<void>;
}

/** What the adapter hands over with a request that came through a socket. */
interface NodeContext {
  readonly req: IncomingMessage;
}

const DRAIN_MS = 5_000;
/** What connections are given beside, to finish. */
const GRACE_MS = 5_000;

/**
 * Starts to listen.
 * @throws the error of `listen` (`EADDRINUSE`, `EACCES`); ExecstreamError `BAD_USER_INPUT` where authentication is off
 *   and `host` can be reached from outside.
 */
export async function listen(services: Services, options: ListenOptions): Promise<Server> {
  const { graphql, rest, streams, streamTokens, logger, onError } = services;
  const { limits = DEFAULT_LIMITS, drainMs = DRAIN_MS } = options;
  const { stalledMs } = options.streams ?? DEFAULT_STREAM_SETTINGS;
  const { maxConnections, warning } = checkOpenFiles(limits, openFileLimit());
  if (warning) logger.warn?.({ maxConnections }, warning);
  const gate = createGate({ ...options, auth: options.auth, streamTokens });
  const entrance = new BurstGate();
  const accessTokens = new WeakMap<IncomingMessage, string>();

  async function answer(request: Request, { req }: NodeContext): Promise<Response> {
    const asksGraphQL = isGraphQL(new URL(request.url).pathname);
    let caller: Caller;
    try {
      caller = await gate(request, accessTokens.get(req));
    } catch (error) {
      if (!isExecstreamError(error)) onError(error);
      return refusedAtGate(request, asksGraphQL, error);
    }
    if (!asksGraphQL) return rest(request, caller);
    const bounded = await withBoundedBody(request, limits.maxBodyBytes);
    return bounded instanceof Response ? bounded : graphql.yoga.fetch(bounded, { caller });
  }

  const adapter = createServerAdapter<NodeContext>(
    (request: Request, context) =>
      // The adapter would show a stack.
      answer(request, context).catch((error) => {
        if (!request.signal.aborted) onError(error);
        return problemOf('INTERNAL', 'Unexpected error.');
      }),
    { plugins: [...corsPlugins(options.corsOrigins), usePageHeaders(), useStallTimeout(stalledMs)] },
  );

  const connections = createConnections({ ...limits, maxConnections }, (request, response) => {
    protect(response);
    const accessToken = takeAccessToken(request);
    if (accessToken !== undefined) accessTokens.set(request, accessToken);
    if (!isRequestTarget(request))
      return void send(response, problem(400, 'BAD_USER_INPUT', 'not a path of a host'));
    if (!isExpectationMet(request))
      return void send(response, problem(417, 'BAD_USER_INPUT', 'Expect: expected 100-continue'));
    if (!options.auth && !isLoopbackHost(request.headers.host)) return void send(response, misdirected());
    // Not behind other requests: however many wait, the process lives.
    if (isLivenessProbe(request)) return void send(response, live());
    void entrance.pass().then(() => {
      // Else nobody is there for the answer any more.
      if (!response.destroyed) return adapter(request, response);
    });
  });
  const { http } = connections;
  http.listen(options.port, options.host);
  await once(http, 'listening');
  const stopWatching = logRefusedConnections(http, logger);
  const { port } = http.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    close: async () => {
      const closed = connections.close(drainMs + GRACE_MS);
      streams.drain(drainMs);
      await closed;
      stopWatching();
      await services.close();
    },
  };
}

/** What no request can be made of, such as a `Host` that is no host: the adapter would answer 500 with a stack. */
function isRequestTarget({ url = '', headers, httpVersion }: IncomingMessage): boolean {
  // RFC 9112, 3.2: HTTP/1.1 requires the header.
  if (headers.host === undefined && httpVersion === '1.1') return false;
  return url.startsWith('/') && URL.canParse(`http://${headers.host ?? 'localhost'}${url}`);
}

/** A page of another site needs the headers of CORS, and takes its turn. */
function isLivenessProbe({ method, url, headers }: IncomingMessage): boolean {
  return url === '/health/live' && method === 'GET' && headers.origin === undefined;
}

function isExpectationMet({ headers: { expect } }: IncomingMessage): boolean {
  return expect === undefined || /^100-continue$/i.test(expect);
}

async function send(response: ServerResponse, answer: Response): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
}

function isGraphQL(pathname: string): boolean {
  return pathname === '/graphql' || pathname.startsWith('/graphql/');
}

/** None but the configured origins; `Last-Event-ID` must be named, or a browser may not send it. */
function corsPlugins(origins: readonly string[]): ServerAdapterPlugin<NodeContext>[] {
  if (origins.length === 0) return [useCORS(false)];
  const all = origins.includes('*');
  const allowed = {
    origin: [...origins],
    methods: ['GET', 'POST', 'OPTIONS'],
    allowedHeaders: ['Content-Type', 'Last-Event-ID', 'Authorization'],
    credentials: !all,
  };
  return [
    // For an origin that is not listed the plugin would name `null`, which is the origin of every sandboxed page.
    useCORS((request) => (all || origins.includes(request.headers.get('origin') ?? '') ? allowed : false)),
    { onResponse: ({ response }) => response.headers.set('Vary', 'Origin') },
  ];
}
