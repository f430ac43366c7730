// A body that a library writes, as the source of an event stream: it gets the heartbeats, lifetime, drain and
// backpressure of all others. A single piece is read ahead.
import type { FrameSource } from './event-stream.ts';
import { chunkOf, type Frame } from './frame.ts';

export interface RelayHooks {
  /** Called with each piece that the stream takes. */
  onTaken(piece: Uint8Array): void;
  /** Called once, however the stream ends. */
  onClosed(): void;
}

export class RelayedBody implements FrameSource {
  waiter: FrameSource['waiter'];
  ended = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #hooks: RelayHooks;
  #piece: Uint8Array | undefined;

  constructor(body: ReadableStream<Uint8Array>, hooks: RelayHooks) {
    this.#reader = body.getReader();
    this.#hooks = hooks;
    void this.#read();
  }

  take(): Frame | undefined {
    const bytes = this.#piece;
    if (!bytes) return undefined;
    this.#piece = undefined;
    this.#hooks.onTaken(bytes);
    void this.#read();
    return { bytes, chunk: chunkOf(bytes), length: bytes.length };
  }

  /** One body carries the events of many logs, so there is no cursor. */
  takeSkippedCursor(): undefined {}

  finalFrame(): undefined {}

  close(): void {
    this.#reader.cancel().catch(() => {});
    this.#hooks.onClosed();
  }

  async #read(): Promise<void> {
    // A body that fails ends the stream, and its client reconnects.
    const { done, value } = await this.#reader.read().catch(() => ({ done: true, value: undefined }));
    this.#piece = value;
    this.ended = done;
    const { waiter } = this;
    this.waiter = undefined;
    waiter?.wake();
  }
}
