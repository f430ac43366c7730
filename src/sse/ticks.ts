// The work of one tick, done together: what several announcements of one tick have for a stream is one write.
//
// The window adapts. While there is little to do, the work is done right after the I/O of the tick that brought it.
// Under load, as much time is left between two rounds as the last one took: more comes together, and each write costs
// less. A round of a thousand writes takes some ms, so nobody waits for longer than those.

/** Never longer than so, however long a round took. */
const LONGEST_PAUSE_MS = 20;

export class Ticks<T> {
  readonly #work: (item: T) => void;
  #waiting: T[] = [];
  #scheduled = false;
  #lastEnd = 0;
  #lastTook = 0;

  constructor(work: (item: T) => void) {
    this.#work = work;
  }

  /** Does an item's work with the others'. */
  add(item: T): void {
    this.#waiting.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    const restMs = this.#lastEnd + Math.min(this.#lastTook, LONGEST_PAUSE_MS) - performance.now();
    // A timer's resolution is 1 ms.
    if (restMs >= 1) setTimeout(this.#run, restMs);
    else setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const began = performance.now();
    const items = this.#waiting;
    this.#waiting = [];
    this.#scheduled = false;
    for (const item of items) this.#work(item);
    this.#lastEnd = performance.now();
    this.#lastTook = this.#lastEnd - began;
  };
}
