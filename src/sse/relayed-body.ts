// A body that a library writes, as the source of an event stream: it gets the heartbeats, lifetime, drain and
// backpressure of all others. A single piece is read ahead.
import type { FrameSource } from './event-stream.ts';
import { chunkOf, type Frame } from './frame.ts';
import { SSE_FORMAT } from './stream-format.ts';

export interface RelayHooks {
  /** Called with each piece that the stream takes. */
  onTaken(piece: Uint8Array): void;
  /** Called once, however the stream ends. */
  onClosed(): void;
}

export class RelayedBody implements FrameSource {
  readonly format = SSE_FORMAT;
  waiter: FrameSource['waiter'];
  ended = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #hooks: RelayHooks;
  #piece: Uint8Array | undefined;
  #failure: unknown;

  constructor(body: ReadableStream<Uint8Array>, hooks: RelayHooks) {
    this.#reader = body.getReader();
    this.#hooks = hooks;
    void this.#read();
  }

  /** @throws what the body failed with: the stream breaks, and its client reconnects */
  take(): Frame | undefined {
    if (this.#failure !== undefined) throw this.#failure;
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
    try {
      const { done, value } = await this.#reader.read();
      this.#piece = value;
      this.ended = done;
    } catch (error) {
      this.#failure = error ?? new Error('the body failed');
    }
    const { waiter } = this;
    this.waiter = undefined;
    waiter?.wake();
  }
}
