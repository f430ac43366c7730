// HTTP/1.1 pipelining: the requests of one connection are handled one at a time, in their order.
//
// Node parses pipelined requests ahead and emits all of them immediately. Responses are sent in order, so a response
// behind another one only buffers, and it emits no `close` when its connection ends: a stream opened for it would
// outlive the connection. Here a request is not handled before its response has the socket.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Waiting requests of all connections of a server. Each retains its headers and the start of its body. */
const MAX_WAITING = 2_500;

/**
 * Creates a listener that handles the requests of a connection sequentially. A connection with more than `maxInFlight`
 * requests without a response is closed (its client resends them: RFC 9112, 9.3.2), and so is one whose request would
 * be the 2,501st to wait in this server.
 */
export function createRequestQueue(listener: RequestListener, maxInFlight: number): RequestListener {
  const waitingOf = new WeakMap<Socket, number>();
  let waiting = 0;

  function enqueue(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const ahead = waitingOf.get(socket) ?? 0;
    // Including the request in progress.
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
      // After Node has finished handling the event.
      process.nextTick(handle, request, response);
    });
  }

  function release(this: Socket): void {
    waiting -= waitingOf.get(this) ?? 0;
    waitingOf.delete(this);
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    // Node emits requests that were already parsed after the connection was closed.
    if (request.socket.destroyed) return;
    if (response.socket) listener(request, response);
    else enqueue(request, response);
  }

  return handle;
}
