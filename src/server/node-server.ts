// Listens, limits connections, and stops without cutting a stream off. Requests are served by the handler.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { allowDirectWrites } from '../sse/socket-sink.ts';
import { DEFAULT_STREAM_SETTINGS, type EventStreamSettings } from '../sse/stream-settings.ts';
import { requireLoopback } from './auth/loopback.ts';
import { invalid } from './config/env.ts';
import { createConnections, useStallTimeout } from './connections.ts';
import { DRAIN_MS, type Execstream, GRACE_MS } from './create-execstream.ts';
import { type LimitOptions, resolveLimits } from './limits.ts';
import { createNodeListener } from './node-listener.ts';
import { checkOpenFiles, openFileLimit } from './open-files.ts';
import { logRefusedConnections } from './refused-connections.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0 selects a free port. */
  readonly port: number;
  /** Limits of connections that differ from the defaults. */
  readonly limits?: LimitOptions | undefined;
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

/**
 * Starts to listen. Closing the server closes `execstream`.
 * @throws the error of `listen` (`EADDRINUSE`, `EACCES`); ExecstreamError `CONFIG` if authentication is off and `host`
 *   can be reached from other machines.
 */
export async function listen(execstream: Execstream, options: ListenOptions): Promise<Server> {
  const { handler, logger } = execstream;
  const { drainMs = DRAIN_MS, host } = options;
  if (!handler.isAuthenticated) {
    // Without this, a server whose authentication is passed here would be open to every process of this machine.
    if (hasAuthentication(options)) throw invalid('auth', 'expected as an option of createExecstream');
    requireLoopback(host);
  }
  const limits = resolveLimits(options.limits);
  const { stalledMs } = options.streams ?? DEFAULT_STREAM_SETTINGS;
  const { maxConnections, warning } = checkOpenFiles(limits, openFileLimit());
  if (warning) logger.warn?.({ maxConnections }, warning);
  const listener = createNodeListener(handler, [useStallTimeout(stalledMs)]);

  const connections = createConnections({ ...limits, maxConnections }, (request, response) => {
    allowDirectWrites(response);
    listener(request, response);
  });
  const { http } = connections;
  http.listen(options.port, options.host);
  await once(http, 'listening');
  const stopLogging = logRefusedConnections(http, logger);
  const stopWatching = execstream.watchParts();
  const { port } = http.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    const closed = connections.close(drainMs + GRACE_MS);
    await execstream.drain(drainMs);
    await closed;
    stopLogging();
    stopWatching();
    await execstream.close({ drainMs: 0 });
  }
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** Whether options, such as a configuration, name an authentication. */
function hasAuthentication(options: object): boolean {
  return 'auth' in options && options.auth !== undefined;
}
