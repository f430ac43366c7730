// HTTP/1.1 pipelining: the requests of one connection are handled one at a time, in their order.
//
// Node parses pipelined requests ahead and emits all of them at once. Responses are sent in order, so a response
// behind another one only buffers, and it emits no `close` when its connection ends: a stream opened for it would
// outlive the connection. Here a request is not handled before its response has the socket.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that wait on all connections of a server together. Each holds its headers and the start of its body. */
const MAX_WAITING = 2_500;

/**
 * Makes a listener that handles the requests of a connection one after the other. A connection with more than
 * `maxInFlight` unanswered requests is closed (its client sends them again: RFC 9112, 9.3.2), and so is one whose
 * request would be the 2,501st to wait in this server.
 */
export function createRequestQueue(listener: RequestListener, maxInFlight: number): RequestListener {
  const waitingOf = new WeakMap<Socket, number>();
  let waiting = 0;

  function enqueue(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const ahead = waitingOf.get(socket) ?? 0;
    // The request that is being handled counts too.
    if (ahead + 2 > maxInFlight || waiting >= MAX_WAITING) return void socket.destroy();
    if (ahead === 0) socket.once('close', release);
    waitingOf.set(socket, ahead + 1);
    waiting += 1;
    // Emitted by Node when all responses before this one have been sent.
    response.once('socket', () => {
      waiting -= 1;
      const left = waitingOf.get(socket)! - 1;
      waitingOf.set(socket, left);
      if (left === 0) socket.off('close', release);
      // Not inside of Node's own handling of that event.
      process.nextTick(handle, request, response);
    });
  }

  function release(this: Socket): void {
    waiting -= waitingOf.get(this) ?? 0;
    waitingOf.delete(this);
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    // Node emits the remaining requests of what was read, also after the connection was closed.
    if (request.socket.destroyed) return;
    if (response.socket) listener(request, response);
    else enqueue(request, response);
  }

  return handle;
}
