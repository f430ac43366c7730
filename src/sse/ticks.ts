// The work of one tick, done together: what several announcements of one tick have for a stream is one write.
//
// The window adapts. While few streams have something, they are written right after the I/O of the tick that brought
// it. After a round of many, about as much time is left as it took: more comes together, and each write costs less.
// No round holds the event loop for long: what is left of it goes on behind the I/O that waits.

/** What a write costs, about; reckoned and not measured, so that a machine that is busy with others changes nothing. */
const WRITE_MS = 0.004;
const LONGEST_PAUSE_MS = 20;
const LONGEST_ROUND_MS = 4;
/** How many items' work is done between two looks at the clock. */
const UNLOOKED = 8;

export class Ticks<T> {
  readonly #work: (item: T) => void;
  #waiting: T[] = [];
  #scheduled = false;
  /** Items done since the last round was over. */
  #done = 0;
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
    // A timer's resolution is 1 ms, and it leaves out what is less.
    if (restMs >= 1) setTimeout(this.#run, Math.ceil(restMs));
    else setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const items = this.#waiting;
    this.#waiting = [];
    const until = performance.now() + LONGEST_ROUND_MS;
    let done = 0;
    while (done < items.length) {
      this.#work(items[done]!);
      done += 1;
      if (done % UNLOOKED === 0 && performance.now() > until) break;
    }
    this.#done += done;
    if (done < items.length) {
      // In their turn: before what was added meanwhile.
      this.#waiting = [...items.slice(done), ...this.#waiting];
      setImmediate(this.#run);
      return;
    }
    this.#scheduled = this.#waiting.length > 0;
    if (this.#scheduled) setImmediate(this.#run);
    const pauseMs = Math.min(this.#done * WRITE_MS, LONGEST_PAUSE_MS);
    this.#done = 0;
    this.#next = pauseMs >= 1 ? performance.now() + pauseMs : 0;
  };
}
