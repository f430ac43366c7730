// The body of an event stream's response: a ReadableStream of bytes on any runtime. On Node's HTTP/1.1 the adapter
// (@whatwg-node/server, whose version is pinned; test/sse/direct-writes.test.ts fails if this changes) passes the response
// to a body that has `read` and `pipe`. Frames then go to the socket without a stream, a promise or a copy in between.
import type { ServerResponse } from 'node:http';
import type { EventStream } from './event-stream.ts';
import type { Frame } from './frame.ts';
import type { Sink } from './sink.ts';
import { SocketSink } from './socket-sink.ts';

export class EventStreamBody extends ReadableStream<Uint8Array> {
  /** The adapter recognises a Node stream by this property. */
  readonly read: true | undefined;
  readonly #stream: EventStream;
  #signal: AbortSignal | undefined;

  constructor(stream: EventStream, signal: AbortSignal, isDirect: boolean) {
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
    this.read = isDirect || undefined;
    this.#stream = stream;
    this.#signal = signal;
    signal.addEventListener('abort', this.destroy);
    if (signal.aborted) this.destroy();
  }

  /** Writes to a Node response, after its headers. */
  pipe(response: ServerResponse): void {
    // The adapter calls `destroy` when the connection closes, so the request can be released.
    this.#releaseSignal();
    this.#stream.attach(new SocketSink(response, this.#stream));
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

  abort(): void {
    this.#controller.error(new Error('client stalled: it has read nothing for too long'));
  }
}
