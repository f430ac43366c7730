// The response stream of one subscription: a viewer's events in a shared encoding. Event streams take frames from it; any
// other consumer iterates over results.
import type { ExecutionResult } from 'graphql';
import type { FrameSource } from '../sse/event-stream.ts';
import type { Frame } from '../sse/frame.ts';
import type { StreamFormat } from '../sse/stream-format.ts';
import type { Viewer } from '../tail/viewer.ts';
import type { Encoder } from './encoder.ts';
import type { SharedEncoding } from './shared-encoding.ts';

export class ViewerFrames implements FrameSource, AsyncIterable<ExecutionResult> {
  readonly #viewer: Viewer;
  readonly #encoding: SharedEncoding;
  readonly #encoder: Encoder;
  readonly #release: () => void;
  /** The cursor of the last frame. */
  #sentCursor: string | undefined;
  #closed = false;

  /** @param release called once, when the stream is closed */
  constructor(viewer: Viewer, encoding: SharedEncoding, encoder: Encoder, release: () => void) {
    this.#viewer = viewer;
    this.#encoding = encoding;
    this.#encoder = encoder;
    this.#release = release;
    this.#sentCursor = viewer.position;
  }

  get format(): StreamFormat {
    return this.#encoder.format;
  }

  get ended(): boolean {
    return this.#viewer.ended;
  }

  set waiter(waiter: FrameSource['waiter']) {
    this.#viewer.waiter = waiter;
  }

  take(bytes: number): Frame | undefined {
    const span = this.#viewer.takeSpan();
    if (span) {
      this.#sentCursor = span.events.at(-1)!.id;
      return this.#encoding.span(span, this.#encoder);
    }
    const frames: Frame[] = [];
    for (let size = 0; size < bytes; ) {
      const event = this.#viewer.take();
      if (!event) break;
      const frame = this.#encoding.frame(event, this.#encoder);
      frames.push(frame);
      size += frame.length;
      this.#sentCursor = event.id;
    }
    return frames.length > 1 ? this.#encoding.join(frames) : frames[0];
  }

  takeSkippedCursor(): string | undefined {
    const { position } = this.#viewer;
    if (position === this.#sentCursor) return undefined;
    this.#sentCursor = position;
    return position;
  }

  finalFrame(): Frame | undefined {
    return this.#encoder.complete(this.#viewer.position);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#viewer.close();
    this.#release();
  }

  // Not a generator: if one is ended before its first result, it would not close its viewer.
  [Symbol.asyncIterator](): AsyncIterator<ExecutionResult> {
    return {
      next: async () => {
        await this.#viewer.ready();
        const event = this.#viewer.take();
        if (event) return { done: false, value: this.#encoding.result(event) };
        this.close();
        return { done: true, value: undefined };
      },
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }
}
