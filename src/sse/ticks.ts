// The work of one tick, done together: what several announcements of one tick have for a stream is one write.
//
// The window adapts. While few streams have something, they are written right after the I/O of the tick that brought
// it. After a round of many, about as much time is left as it took: more comes together, and each write costs less.

/** What a write costs, about; reckoned and not measured, so that a machine that is busy with others changes nothing. */
const WRITE_MS = 0.004;
const LONGEST_PAUSE_MS = 20;

export class Ticks<T> {
  readonly #work: (item: T) => void;
  #waiting: T[] = [];
  #scheduled = false;
  /** When the next round may be. */
  #next = 0;

  constructor(work: (item: T) => void) {
    this.#work = work;
  }

  /** Does an item's work with the others'. */
  add(item: T): void {
    this.#waiting.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    const restMs = this.#next && this.#next - performance.now();
    // A timer's resolution is 1 ms.
    if (restMs >= 1) setTimeout(this.#run, restMs);
    else setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const items = this.#waiting;
    this.#waiting = [];
    this.#scheduled = false;
    for (const item of items) this.#work(item);
    const pauseMs = Math.min(items.length * WRITE_MS, LONGEST_PAUSE_MS);
    this.#next = pauseMs >= 1 ? performance.now() + pauseMs : 0;
  };
}
