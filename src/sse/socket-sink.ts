// Writes frames, as encoded chunks, to the handle of an HTTP/1.1 connection, past ServerResponse and the socket's stream:
// half the cost of `response.write`, and the same bytes on the wire.
//
// Invariants (test/sse/direct-writes.test.ts)
// 1. The next frame is taken when the kernel has accepted the last one: what a client has not read waits in one write.
// 2. Bytes written past the socket's stream follow everything that was written to it: if the stream has buffered bytes,
//    frames are written to the response instead.
import type { ServerResponse } from 'node:http';
import type { EventStream } from './event-stream.ts';
import type { Frame } from './frame.ts';
import { abortResponse, interruptResponse } from './interrupt.ts';
import type { Sink } from './sink.ts';
import { handleOf, type SocketHandle, writeTo } from './socket-handle.ts';

/** Responses of servers that belong to this package. */
const ownResponses = new WeakSet<ServerResponse>();

/** Permits direct writes to a response whose server has no middleware of others, which could replace its methods. */
export function allowDirectWrites(response: ServerResponse): void {
  ownResponses.add(response);
}

export function allowsDirectWrites(response: ServerResponse): boolean {
  return ownResponses.has(response);
}

/** A response that middleware compresses: `compression()` adds the method. */
type Flushable = ServerResponse & { flush?(): void };

export class SocketSink implements Sink {
  ready = true;
  readonly #response: Flushable;
  readonly #stream: EventStream;
  /** Set if the connection belongs to this response, is chunked and has nothing buffered. */
  readonly #handle: SocketHandle | undefined;

  /** @param isDirect whether to write past Node's streams, if this connection allows that */
  constructor(response: ServerResponse, stream: EventStream, isDirect: boolean) {
    this.#response = response;
    this.#stream = stream;
    response.flushHeaders();
    // A response without a socket waits for another response of a pipeline.
    const { socket } = response;
    const isEmpty = response.chunkedEncoding && socket?.writableLength === 0;
    this.#handle = isDirect && isEmpty ? handleOf(socket) : undefined;
    if (!this.#handle) response.on('drain', this.#onReady);
  }

  write(frame: Frame): void {
    if (this.#handle) {
      this.ready = writeTo(this.#handle, frame.chunk, this.#onWritten);
      return;
    }
    this.ready = this.#response.write(frame.bytes);
    // Responses are marked `no-transform`; a compressor that ignores this must not hold frames back.
    this.#response.flush?.();
  }

  end(): void {
    this.#release();
    this.#response.end();
  }

  interrupt(): void {
    this.#release();
    interruptResponse(this.#response);
  }

  abort(): void {
    this.#release();
    abortResponse(this.#response);
  }

  readonly #onWritten = (error?: Error): void => {
    if (error) this.#response.socket?.destroy(error);
    else this.#onReady();
  };

  readonly #onReady = (): void => {
    this.ready = true;
    this.#stream.wake();
  };

  #release(): void {
    this.#response.off('drain', this.#onReady);
  }
}
