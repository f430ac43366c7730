// The body of an event stream's response: a ReadableStream of bytes on any runtime. On Node's HTTP/1.1 the adapter
// (@whatwg-node/server, whose version is pinned; test/sse/direct-writes.test.ts fails if this changes) passes the response
// to a body that has `read` and `pipe`. Frames then go to the socket without a stream, a promise or a copy in between, and
// the connection can be broken where the response must not look complete.
import type { ServerResponse } from 'node:http';
import { delay } from '../async/delay.ts';
import type { EventStream } from './event-stream.ts';
import type { Frame } from './frame.ts';
import { interruption, interruptResponse, RESET_AFTER_MS } from './interrupt.ts';
import type { Sink } from './sink.ts';
import { allowsDirectWrites, SocketSink } from './socket-sink.ts';
import type { EventStreamSettings } from './stream-settings.ts';

export class EventStreamBody extends ReadableStream<Uint8Array> {
  /** The adapter recognises a Node stream by this property. */
  readonly read = true;
  readonly #stream: EventStream;
  readonly #directWrites: EventStreamSettings['directWrites'];
  #signal: AbortSignal | undefined;

  constructor(stream: EventStream, signal: AbortSignal, directWrites: EventStreamSettings['directWrites']) {
    let sink: ReaderSink | undefined;
    super(
      {
        pull: (controller) => {
          if (sink) return sink.onPull();
          sink = new ReaderSink(controller, stream);
          stream.attach(sink);
        },
        cancel: () => stream.close(),
      },
      // Nothing is encoded before it is read.
      { highWaterMark: 0 },
    );
    this.#stream = stream;
    this.#directWrites = directWrites;
    this.#signal = signal;
    signal.addEventListener('abort', this.destroy);
    if (signal.aborted) this.destroy();
  }

  /** Writes to a Node response, after its headers. */
  pipe(response: ServerResponse): void {
    // The adapter calls `destroy` when the connection closes, so the request can be released.
    this.#releaseSignal();
    const isDirect = allowsDirectWrites(response)
      ? this.#directWrites !== false
      : this.#directWrites === 'everywhere';
    this.#stream.attach(new SocketSink(response, this.#stream, isDirect));
  }

  /** Called when the connection has closed. */
  readonly destroy = (): void => {
    this.#releaseSignal();
    this.#stream.close();
  };

  #releaseSignal(): void {
    this.#signal?.removeEventListener('abort', this.destroy);
    this.#signal = undefined;
  }
}

/** A body of a single frame that never completes: its client reconnects. */
export class InterruptedBody extends ReadableStream<Uint8Array> {
  readonly read = true;
  readonly #frame: Frame;

  constructor(frame: Frame) {
    let isSent = false;
    super(
      {
        pull: async (controller) => {
          if (!isSent) controller.enqueue(frame.bytes);
          else {
            // A host that reads ahead would take an immediate error for one before the response.
            await delay(RESET_AFTER_MS);
            controller.error(interruption());
          }
          isSent = true;
        },
      },
      { highWaterMark: 0 },
    );
    this.#frame = frame;
  }

  pipe(response: ServerResponse): void {
    response.write(this.#frame.bytes);
    interruptResponse(response);
  }

  /** Called when the connection has closed: nothing is left to release. */
  destroy(): void {}
}

/** Delivers one frame for each read. */
class ReaderSink implements Sink {
  ready = true;
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;
  readonly #stream: EventStream;

  constructor(controller: ReadableStreamDefaultController<Uint8Array>, stream: EventStream) {
    this.#controller = controller;
    this.#stream = stream;
  }

  onPull(): void {
    this.ready = true;
    this.#stream.advance();
  }

  write({ bytes }: Frame): void {
    this.ready = false;
    this.#controller.enqueue(bytes);
  }

  end(): void {
    this.#controller.close();
  }

  interrupt(): void {
    this.#controller.error(interruption());
  }

  abort(): void {
    this.#controller.error(interruption('client stalled: it has read nothing for too long'));
  }
}
