// Node's HTTP server with limits, and closing its connections without cutting a stream off.
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import type { ServerAdapterPlugin } from '@whatwg-node/server';
import { HttpResponse, rejectUnparsable } from './http-response.ts';
import type { NodeContext } from './node-request.ts';
import { createRequestQueue } from './pipelining.ts';

export interface ConnectionLimits {
  /** Limit of a request's request line and headers; above it: 431. */
  readonly maxHeaderBytes: number;
  /** In which time a request must arrive completely. It does not limit responses. */
  readonly requestTimeoutMs: number;
  /** After which time a connection without a request is closed. */
  readonly keepAliveTimeoutMs: number;
  /** Requests of one connection that wait for a response (HTTP/1.1 pipelining); above it, the connection is closed. */
  readonly maxPipelined: number;
  /** Above it, new connections are closed. */
  readonly maxConnections: number;
}

const SWEEP_MS = 50;

export interface Connections {
  readonly http: HttpServer;
  /**
   * Stops accepting, and resolves when all connections are closed.
   * @param withinMs remaining connections are destroyed after this time
   */
  close(withinMs: number): Promise<void>;
}

export function createConnections(limits: ConnectionLimits, listener: RequestListener): Connections {
  const { maxHeaderBytes, requestTimeoutMs, keepAliveTimeoutMs, maxPipelined, maxConnections } = limits;
  const handle = createRequestQueue(listener, maxPipelined);
  const http: HttpServer = createServer(
    {
      ServerResponse: HttpResponse,
      maxHeaderSize: maxHeaderBytes,
      keepAliveTimeout: keepAliveTimeoutMs,
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(5_000, requestTimeoutMs / 2),
      // Node's own response would bypass the queue, and any number of them could pile up behind an open stream.
      requireHostHeader: false,
    },
    handle,
  );
  http.on('checkExpectation', handle);
  http.on('clientError', (error, socket) => rejectUnparsable(error, socket as Socket, maxHeaderBytes));
  // Idle connections make room for new ones.
  http.on('drop', () => http.closeIdleConnections());
  // Listeners of a reader that has finished would be retained until the end of the response.
  http.on('request', (request) => request.once('close', () => request.removeAllListeners()));
  http.timeout = 0;
  http.maxConnections = maxConnections;
  const unused = unusedConnections(http);
  return { http, close: (withinMs) => closeAll(http, unused, withinMs) };
}

/**
 * Adapter plugin: disconnects a client that reads nothing of a response for this time. Event streams have their own
 * check, which includes direct writes to the socket.
 * @internal
 */
export function useStallTimeout(stalledMs: number): ServerAdapterPlugin<NodeContext> {
  return {
    onResponse: ({ response, serverContext }) => {
      if (response?.headers.get('content-type')?.startsWith('text/event-stream')) return;
      serverContext.req.socket?.setTimeout(stalledMs);
    },
  };
}

/** Connections without a request yet, which browsers open in advance. Node does not count them as idle. */
function unusedConnections(http: HttpServer): ReadonlySet<Socket> {
  const unused = new Set<Socket>();
  http.on('connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  http.on('request', ({ socket }) => unused.delete(socket));
  return unused;
}

function closeAll(http: HttpServer, unused: ReadonlySet<Socket>, withinMs: number): Promise<void> {
  const deadline = setTimeout(() => http.closeAllConnections(), withinMs);
  // Repeated, because a keep-alive connection becomes idle only when its stream ends.
  const sweep = setInterval(() => {
    http.closeIdleConnections();
    for (const socket of unused) socket.destroy();
  }, SWEEP_MS);
  return new Promise((resolve) => {
    http.close(() => {
      clearTimeout(deadline);
      clearInterval(sweep);
      resolve();
    });
  });
}
