// The body of an event stream's response. To whoever reads it, a ReadableStream of bytes, on any runtime. On Node's
// HTTP/1.1 the adapter (@whatwg-node/server, pinned; test/sse/direct-writes.test.ts fails where that changes) hands a
// body that
// has `read` and `pipe` the response itself: then frames go to the socket without a stream, a promise or a copy between.
import type { ServerResponse } from 'node:http';
import type { EventStream, Sink } from './event-stream.ts';
import type { Frame } from './frame.ts';
import { SocketSink } from './socket-sink.ts';

export class EventStreamBody extends ReadableStream<Uint8Array> {
  /** What the adapter knows a Node stream by. */
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
      // Nothing is made before it is asked for.
      { highWaterMark: 0 },
    );
    this.read = isDirect || undefined;
    this.#stream = stream;
    this.#signal = signal;
    signal.addEventListener('abort', this.destroy);
    if (signal.aborted) this.destroy();
  }

  /** Writes to a response of Node, whose headers were written. */
  pipe(response: ServerResponse): void {
    // From here on the adapter calls `destroy` when the connection closes: the request can be let go of.
    this.#forget();
    this.#stream.attach(new SocketSink(response, this.#stream));
  }

  /** The connection has gone. */
  readonly destroy = (): void => {
    this.#forget();
    this.#stream.close();
  };

  #forget(): void {
    this.#signal?.removeEventListener('abort', this.destroy);
    this.#signal = undefined;
  }
}

/** A reader takes one frame for each time that it asks. */
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
    this.#controller.error(new Error('the client has read nothing for too long'));
  }
}
