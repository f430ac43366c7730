// Listens, hands each request to GraphQL or REST, and stops without cutting a stream off.
import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServerAdapter, type ServerAdapterPlugin, useCORS } from '@whatwg-node/server';
import { isExecstreamError } from '../event/error.ts';
import type { Caller } from '../execution/permission.ts';
import { takeAccessToken } from './auth/access-token.ts';
import { type AuthenticationOptions, createGate } from './auth/gate.ts';
import { isLoopbackHost } from './auth/loopback.ts';
import { misdirected, refusedAtGate } from './auth/refusal.ts';
import type { Services } from './services.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly corsOrigins: readonly string[];
  /** How callers are known. Absent: not at all; `host` must then be a loopback address. */
  readonly auth?: AuthenticationOptions | undefined;
}

export interface Server {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** Ends: accepts nothing new, rotates every stream, lets what is being answered finish. */
  close(): Promise<void>;
}

/** What the adapter hands over with a request that came through a socket. */
interface NodeContext {
  readonly req: IncomingMessage;
}

/** How long connections may take to finish once the server stops. */
const CLOSE_MS = 5_000;
const SWEEP_MS = 50;

/**
 * Starts to listen.
 * @throws the error of `listen` (`EADDRINUSE`, `EACCES`); ExecstreamError `BAD_USER_INPUT` where authentication is off
 *   and `host` can be reached from outside.
 */
export async function listen(services: Services, options: ListenOptions): Promise<Server> {
  const { graphql, rest, streams, streamTokens, onError } = services;
  const gate = createGate({ ...options, auth: options.auth, streamTokens });
  const accessTokens = new WeakMap<IncomingMessage, string>();
  const adapter = createServerAdapter<NodeContext>(
    async (request: Request, { req }): Promise<Response> => {
      const asksGraphQL = isGraphQL(new URL(request.url).pathname);
      let caller: Caller;
      try {
        caller = await gate(request, accessTokens.get(req));
      } catch (error) {
        if (!isExecstreamError(error)) onError(error);
        return refusedAtGate(request, asksGraphQL, error);
      }
      return asksGraphQL ? graphql.yoga.fetch(request, { caller }) : rest(request, caller);
    },
    { plugins: corsPlugins(options.corsOrigins) },
  );
  const http = createServer((request, response) => {
    const accessToken = takeAccessToken(request);
    if (accessToken !== undefined) accessTokens.set(request, accessToken);
    // What no request can be made of, such as a `Host` that is no host: the adapter would answer 500 with a stack.
    if (!URL.canParse(`http://${request.headers.host ?? 'localhost'}${request.url}`)) {
      response.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8' }).end('Bad Request');
      return;
    }
    if (!options.auth && !isLoopbackHost(request.headers.host)) {
      void send(response, misdirected());
      return;
    }
    return adapter(request, response);
  });
  // A stream outlives any default of Node's; its own lifetime and heartbeat bound it.
  http.requestTimeout = 0;
  http.timeout = 0;
  const silent = silentConnections(http);
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port, options.host, resolve);
  });
  const { port } = http.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    close: async () => {
      const closed = closeListener(http, silent);
      streams.drain();
      await closed;
      await services.close();
    },
  };
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

/** Connections that have not asked for anything, which browsers open in advance: to Node they are not idle. */
function silentConnections(http: HttpServer): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  http.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  http.on('request', ({ socket }) => silent.delete(socket));
  return silent;
}

function closeListener(http: HttpServer, silent: ReadonlySet<Socket>): Promise<void> {
  const deadline = setTimeout(() => http.closeAllConnections(), CLOSE_MS);
  // A connection is kept for a next request once its stream has ended: it is idle from then on, not from now.
  const sweep = setInterval(() => {
    http.closeIdleConnections();
    for (const socket of silent) socket.destroy();
  }, SWEEP_MS);
  return new Promise((resolve) => {
    http.close(() => {
      clearTimeout(deadline);
      clearInterval(sweep);
      resolve();
    });
  });
}
