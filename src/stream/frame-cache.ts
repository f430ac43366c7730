// The frames that were encoded last, for the viewers that need them next. Limited by count and bytes, as the ring of
// events is; the newest frame is always held.
import type { ExecutionEvent } from '../event/events.ts';
import type { Frame } from '../sse/frame.ts';

const MAX_FRAMES = 1_024;
const MAX_BYTES = 1024 * 1024;

export class FrameCache {
  /** Oldest first. By event and not by cursor: a synthetic event has the cursor of another event. */
  readonly #frames = new Map<ExecutionEvent, Frame>();
  #bytes = 0;

  get(event: ExecutionEvent): Frame | undefined {
    return this.#frames.get(event);
  }

  set(event: ExecutionEvent, frame: Frame): void {
    this.#frames.set(event, frame);
    this.#bytes += frame.length;
    if (this.#frames.size > MAX_FRAMES || this.#bytes > MAX_BYTES) this.#evict();
  }

  #evict(): void {
    for (const [event, { length }] of this.#frames) {
      const isLast = this.#frames.size === 1;
      if (isLast || (this.#frames.size <= MAX_FRAMES && this.#bytes <= MAX_BYTES)) return;
      this.#frames.delete(event);
      this.#bytes -= length;
    }
  }
}
