// Node's HTTP server within bounds, and how its connections are closed without cutting a stream off.
import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import type { Socket } from 'node:net';
import type { ServerAdapterPlugin } from '@whatwg-node/server';
import { createRequestQueue } from './pipelining.ts';

export interface ConnectionLimits {
  /** Of a request's line and headers; above it, Node answers 431. */
  readonly maxHeaderBytes: number;
  /** How long a request may take to arrive whole. A stream's answer is bounded by its lifetime and heartbeat. */
  readonly requestTimeoutMs: number;
  /** Unanswered requests of one connection (HTTP/1.1 pipelining); above it, the connection is closed. */
  readonly maxPipelined: number;
  /** Above it, connections are closed as they come. */
  readonly maxConnections: number;
}

const SWEEP_MS = 50;

export interface Connections {
  readonly http: HttpServer;
  /**
   * Accepts nothing new, and resolves when all connections are gone.
   * @param withinMs those that are left then are cut off
   */
  close(withinMs: number): Promise<void>;
}

export function createConnections(limits: ConnectionLimits, listener: RequestListener): Connections {
  const { maxHeaderBytes, requestTimeoutMs, maxPipelined, maxConnections } = limits;
  const handle = createRequestQueue(listener, maxPipelined);
  const http = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(5_000, requestTimeoutMs / 2),
      // Node would respond past the queue, and hold any number of such responses behind an open stream.
      requireHostHeader: false,
    },
    handle,
  );
  http.on('checkExpectation', handle);
  // Who has read a body still listens, and would be held for as long as the answer goes on.
  http.on('request', (request) => request.once('close', () => request.removeAllListeners()));
  http.timeout = 0;
  http.maxConnections = maxConnections;
  const silent = silentConnections(http);
  return { http, close: (withinMs) => closeAll(http, silent, withinMs) };
}

/**
 * A plugin of the adapter: a client that reads nothing of a response for so long is disconnected. Event streams have a
 * check of their own, which knows what is written past the socket's stream.
 */
export function useStallTimeout(stalledMs: number): ServerAdapterPlugin<{ readonly req: IncomingMessage }> {
  return {
    onResponse: ({ response, serverContext }) => {
      if (response?.headers.get('content-type')?.startsWith('text/event-stream')) return;
      serverContext.req.socket.setTimeout(stalledMs);
    },
  };
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

function closeAll(http: HttpServer, silent: ReadonlySet<Socket>, withinMs: number): Promise<void> {
  const deadline = setTimeout(() => http.closeAllConnections(), withinMs);
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
