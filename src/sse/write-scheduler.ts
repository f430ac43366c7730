// The work of one tick, done together: what several announcements of one tick have for a stream is one write.
//
// The window adapts. A round of work begins right after the I/O of the tick that brought it. Where more came while it
// was under way, the next one is begun after a pause of as long as it took: more comes together, and each write costs
// less. Without such load a pause would be worse than nothing: clients that are written to one by one, each of
// them asleep by then, cost more.
// No round holds the event loop for long: what is left of it goes on behind the I/O that waits.

const LONGEST_PAUSE_MS = 20;
/** How long a round goes on without letting others have their turn. */
const LONGEST_TURN_MS = 1;
/** How many items' work is done between two looks at the clock. */
const UNLOOKED = 8;

export class WriteScheduler<T> {
  readonly #work: (item: T) => void;
  /** For the next round. */
  #waiting: T[] = [];
  /** The round under way, and how far it has come. */
  #round: readonly T[] = [];
  #done = 0;
  /** How long its turns have taken: what a write costs differs by machine, more than twice among those we have seen. */
  #tookMs = 0;
  /** Whether a round is under way or about to be. */
  #scheduled = false;

  constructor(work: (item: T) => void) {
    this.#work = work;
  }

  /** Does an item's work with the others'. */
  add(item: T): void {
    this.#waiting.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#begin);
  }

  readonly #begin = (): void => {
    this.#round = this.#waiting;
    this.#waiting = [];
    this.#done = 0;
    this.#tookMs = 0;
    this.#goOn();
  };

  readonly #goOn = (): void => {
    const from = performance.now();
    let now = from;
    while (this.#done < this.#round.length && now - from <= LONGEST_TURN_MS) {
      this.#work(this.#round[this.#done]!);
      this.#done += 1;
      if (this.#done % UNLOOKED === 0) now = performance.now();
    }
    this.#tookMs += performance.now() - from;
    if (this.#done < this.#round.length) return void setImmediate(this.#goOn);
    this.#round = [];
    this.#scheduled = this.#waiting.length > 0;
    if (this.#scheduled) this.#pause();
  };

  #pause(): void {
    const pauseMs = Math.min(Math.floor(this.#tookMs), LONGEST_PAUSE_MS);
    if (pauseMs > 0) setTimeout(this.#begin, pauseMs);
    else setImmediate(this.#begin);
  }
}
