// The response stream of one subscription: a viewer seen through a projection. Event streams take frames from it;
// any other consumer iterates over results.
import type { ExecutionResult } from 'graphql';
import type { FrameSource } from '../sse/event-stream.ts';
import type { Frame } from '../sse/frame.ts';
import type { Viewer } from '../tail/viewer.ts';
import type { Encoder } from './encoder.ts';
import type { SharedEncoding } from './shared-encoding.ts';

export class ViewerFrames implements FrameSource, AsyncIterable<ExecutionResult> {
  readonly #viewer: Viewer;
  readonly #projection: SharedEncoding;
  readonly #encoding: Encoder;
  readonly #release: () => void;
  #told: string | undefined;
  #closed = false;

  constructor(viewer: Viewer, projection: SharedEncoding, encoding: Encoder, release: () => void) {
    this.#viewer = viewer;
    this.#projection = projection;
    this.#encoding = encoding;
    this.#release = release;
    this.#told = viewer.position;
  }

  get ended(): boolean {
    return this.#viewer.ended;
  }

  set waiter(waiting: FrameSource['waiter']) {
    this.#viewer.waiter = waiting;
  }

  take(bytes: number): Frame | undefined {
    const stretch = this.#viewer.takeSpan();
    if (stretch) {
      this.#told = stretch.events.at(-1)!.id;
      return this.#projection.stretch(stretch, this.#encoding);
    }
    const frames: Frame[] = [];
    for (let size = 0; size < bytes; ) {
      const event = this.#viewer.take();
      if (!event) break;
      const frame = this.#projection.frame(event, this.#encoding);
      frames.push(frame);
      size += frame.length;
      this.#told = event.id;
    }
    return frames.length > 1 ? this.#projection.joined(frames) : frames[0];
  }

  takeSkippedCursor(): string | undefined {
    const { position } = this.#viewer;
    if (position === this.#told) return undefined;
    this.#told = position;
    return position;
  }

  finalFrame(): Frame | undefined {
    return this.#encoding.complete(this.#viewer.position);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#viewer.close();
    this.#release();
  }

  // Not a generator: one that was never begun would not close its viewer.
  [Symbol.asyncIterator](): AsyncIterator<ExecutionResult> {
    return {
      next: async () => {
        await this.#viewer.ready();
        const event = this.#viewer.take();
        if (event) return { done: false, value: this.#projection.result(event) };
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
