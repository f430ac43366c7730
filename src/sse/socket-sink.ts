// Writes frames to a connection of Node's HTTP/1.1 as the chunks that they were made as, past ServerResponse and past
// the socket's stream: half the cost of `response.write`, and the same bytes on the wire.
//
// Invariants
// 1. The next frame is taken when the kernel has the last one: what a client has not read waits in one write.
// 2. What is written past the socket's stream goes behind all that was written to it: both go to the handle in turn,
//    and a socket that holds something back is written to by its response.
import type { ServerResponse } from 'node:http';
import type { EventStream, Sink } from './event-stream.ts';
import type { Frame } from './frame.ts';
import { handleOf, type SocketHandle, writeTo } from './socket-handle.ts';

export class SocketSink implements Sink {
  ready = true;
  readonly #response: ServerResponse;
  readonly #stream: EventStream;
  /** Where the connection is this response's alone, chunked and keeps up; else the response is written to. */
  readonly #handle: SocketHandle | undefined;

  constructor(response: ServerResponse, stream: EventStream) {
    this.#response = response;
    this.#stream = stream;
    response.flushHeaders();
    // No socket: another response of a pipeline is before this one.
    const { socket } = response;
    const isOurs = response.chunkedEncoding && socket?.writableLength === 0;
    this.#handle = isOurs ? handleOf(socket) : undefined;
    if (!this.#handle) response.on('drain', this.#onReady);
  }

  write(frame: Frame): void {
    this.ready = this.#handle
      ? writeTo(this.#handle, frame.chunk, this.#onWritten)
      : this.#response.write(frame.bytes);
  }

  end(): void {
    this.#letGo();
    this.#response.end();
  }

  abort(): void {
    this.#letGo();
    this.#response.destroy();
  }

  readonly #onWritten = (error?: Error): void => {
    if (error) this.#response.socket?.destroy(error);
    else this.#onReady();
  };

  readonly #onReady = (): void => {
    this.ready = true;
    this.#stream.wake();
  };

  #letGo(): void {
    this.#response.off('drain', this.#onReady);
  }
}
