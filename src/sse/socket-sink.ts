// Writes frames to a connection of Node's HTTP/1.1 as the chunks that they were made as, past ServerResponse and past
// the queue of the socket's stream: half the cost of `response.write`, and the same bytes on the wire.
//
// Invariants
// 1. The next frame is taken when the kernel has the last one: what a client has not read waits in one write.
// 2. What is written past the socket's queue goes behind all that was written to it: both go to the handle in turn,
//    and a socket that holds something back is written to by its response.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { EventStream, Sink } from './event-stream.ts';
import type { Frame } from './frame.ts';

/** What a socket's stream calls the encoding of what is bytes already. */
const BYTES = 'buffer' as BufferEncoding;

export class SocketSink implements Sink {
  ready = true;
  readonly #response: ServerResponse;
  readonly #stream: EventStream;
  /** Where the connection is this response's alone, chunked and keeps up; else the response is written to. */
  readonly #socket: Socket | undefined;
  /** Whether a write is being handed on: most are done before that returns. */
  #isWriting = false;

  constructor(response: ServerResponse, stream: EventStream) {
    this.#response = response;
    this.#stream = stream;
    response.flushHeaders();
    // No socket: another response of a pipeline is before this one.
    const { socket } = response;
    this.#socket = response.chunkedEncoding && socket?.writableLength === 0 ? socket : undefined;
    if (!this.#socket) response.on('drain', this.#onReady);
  }

  write(frame: Frame): void {
    if (this.#socket) {
      this.ready = false;
      this.#isWriting = true;
      this.#socket._write(frame.chunk, BYTES, this.#onWritten);
      this.#isWriting = false;
    } else {
      this.ready = this.#response.write(frame.bytes);
    }
  }

  end(): void {
    this.#letGo();
    this.#response.end();
  }

  abort(): void {
    this.#letGo();
    this.#response.destroy();
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (error) this.#socket!.destroy(error);
    else if (this.#isWriting) this.ready = true;
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
