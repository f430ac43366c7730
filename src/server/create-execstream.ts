// The public entry: a server to embed in a web server of the application, or to pass to `listen`.
import { settleWithin } from '../async/timeout.ts';
import { createPublisher } from '../publish/publisher.ts';
import type { Publisher } from '../publish/transport-publisher.ts';
import { withAllLevels } from '../telemetry/logger.ts';
import type { Authenticate, AuthenticationOptions } from './auth/authenticate.ts';
import { parseBasePath } from './base-path.ts';
import { invalid } from './config/env.ts';
import { checkOrigins } from './cors-origins.ts';
import { createServices, type Services, type ServicesOptions } from './create-services.ts';
import { createFetch, type Fetch } from './fetch-handler.ts';
import { createHandler, type Handler } from './handler.ts';
import { createNodeListener, type NodeListener } from './node-listener.ts';

export interface ExecstreamOptions extends ServicesOptions {
  /**
   * Authenticates requests: returns the caller, or undefined for a request without credentials, which gets 401.
   * @default every caller is anonymous, and only requests of this machine are served
   */
  readonly authenticate?: Authenticate | undefined;
  /** Authenticates requests by JWT, in place of `authenticate`. */
  readonly auth?: AuthenticationOptions | undefined;
  /**
   * The path below which everything is served, such as `/streams`. All links, cookies and the OpenAPI document contain it.
   * @default '/'
   */
  readonly basePath?: string | undefined;
  /**
   * Origins of other sites whose pages may use the server, such as `https://app.example.com`; `*` alone allows all.
   * @default []
   */
  readonly corsOrigins?: readonly string[] | undefined;
}

export interface CloseOptions {
  /**
   * Within how many ms all streams are rotated. Their clients reconnect, to another server if there is one.
   * @default 5_000
   */
  readonly drainMs?: number | undefined;
}

export interface Execstream extends Services {
  /** How requests are served. */
  readonly handler: Handler;
  /**
   * Serves a request of the web platform, with everything that belongs to it: authentication, stream tokens, limits,
   * CORS, security headers, GraphQL, REST, the pages and health. A path outside `basePath` gets 404. It never rejects.
   */
  readonly fetch: Fetch;
  /**
   * Serves a request of Node's HTTP server, as `fetch` does. It can be mounted as middleware, also after parsers of
   * bodies and `compression()`. Outside `basePath` it calls `next`, or responds with 404 if there is none.
   */
  readonly node: NodeListener;
  /** The publisher of this process. It is created by the first call, and closed by `close`. */
  publisher(): Publisher;
  /**
   * Rejects new streams with 503, closes the publisher, rotates the open streams, waits up to 5 s more for requests in
   * progress, and releases everything except for `log` and `store`. A repeated call waits for the first one. Afterwards
   * every request gets 503.
   */
  close(options?: CloseOptions): Promise<void>;
  /** The first part of `close`: closes the publisher, rejects new streams, and rotates the open ones within this time. */
  drain(withinMs: number): Promise<void>;
}

export const DRAIN_MS = 5_000;
/** How long requests in progress may take after the streams were rotated. */
export const GRACE_MS = 5_000;

/**
 * Creates a server from its parts. It starts to sweep for lost publishers, and to log outages of the parts.
 * @throws ExecstreamError `CONFIG`, naming an option that is wrong.
 * @example
 * ```ts
 * const execstream = createExecstream({ log, store, authenticate, basePath: '/streams' });
 * app.use(execstream.node); // Express
 * serve({ fetch: execstream.fetch }); // runtimes with the web platform's requests
 * ```
 */
export function createExecstream(options: ExecstreamOptions): Execstream {
  const basePath = parseBasePath(options.basePath ?? '/');
  const corsOrigins = checkOrigins('corsOrigins', options.corsOrigins ?? []);
  const { authenticate, auth = authenticate && { authenticate } } = options;
  if (authenticate && options.auth) throw invalid('auth', 'cannot be combined with authenticate');
  const services = createServices(options, basePath.path);
  const { log, store, streams, tails, logger } = services;
  const handler = createHandler(services, { basePath, auth, corsOrigins });
  const fetch = createFetch(handler);
  const node = createNodeListener(handler);
  let stopWatching: (() => void) | undefined;
  let publisher: Publisher | undefined;
  let closing: Promise<void> | undefined;

  /** Not before the first request: `listen` watches the parts from its start. */
  function watchParts(): void {
    if (!closing) stopWatching ??= services.watchParts();
  }

  async function drain(withinMs: number): Promise<void> {
    tails.stopAdmitting();
    // Its last events are in the log before viewers reconnect.
    if (publisher) await publisher.close();
    streams.drain(withinMs);
  }

  async function close(drainMs: number): Promise<void> {
    await drain(drainMs);
    await settleWithin(Promise.all([handler.idle(), streams.idle()]), drainMs + GRACE_MS);
    handler.close();
    stopWatching?.();
    await services.close();
  }

  return {
    ...services,
    handler,
    fetch: (request) => {
      watchParts();
      return fetch(request);
    },
    node: (...args) => {
      watchParts();
      node(...args);
    },
    publisher: () => {
      publisher ??= createPublisher({ log, store, logger: withAllLevels(logger) });
      return publisher;
    },
    drain,
    close: ({ drainMs = DRAIN_MS } = {}) => {
      closing ??= close(drainMs);
      return closing;
    },
  };
}
