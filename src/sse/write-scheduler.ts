// Coalesces writes: everything queued for a stream in one tick becomes one write.
//
// The window adapts to the load. A round of work starts right after the I/O of the tick that queued it. If more was
// queued during the round, the next one starts after a pause as long as the round took: more is coalesced, and each
// write costs less. Without such load a pause would do harm: waking idle clients one by one costs more.
//
// Invariants (test/sse/write-scheduler.test.ts)
// - Items are processed in the order in which they were added.
// - No round blocks the event loop for longer than a turn: the rest of it follows after pending I/O.

const MAX_PAUSE_MS = 20;
/** Time that a round takes before it yields to the event loop. */
const MAX_TURN_MS = 1;
const ITEMS_PER_CLOCK_CHECK = 8;

export class WriteScheduler<T> {
  readonly #work: (item: T) => void;
  /** Items of the next round. */
  #queued: T[] = [];
  /** Items of the round in progress. */
  #round: readonly T[] = [];
  /** How many of them have been processed. */
  #done = 0;
  /** Duration of the round so far. Measured, because the cost of a write differs between machines by more than 2. */
  #tookMs = 0;
  /** Whether a round is in progress or scheduled. */
  #scheduled = false;

  constructor(work: (item: T) => void) {
    this.#work = work;
  }

  /** Queues an item for the next round. */
  add(item: T): void {
    this.#queued.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#start);
  }

  readonly #start = (): void => {
    this.#round = this.#queued;
    this.#queued = [];
    this.#done = 0;
    this.#tookMs = 0;
    this.#continue();
  };

  readonly #continue = (): void => {
    const startedAt = performance.now();
    let now = startedAt;
    while (this.#done < this.#round.length && now - startedAt <= MAX_TURN_MS) {
      this.#work(this.#round[this.#done]!);
      this.#done += 1;
      if (this.#done % ITEMS_PER_CLOCK_CHECK === 0) now = performance.now();
    }
    this.#tookMs += performance.now() - startedAt;
    if (this.#done < this.#round.length) return void setImmediate(this.#continue);
    this.#round = [];
    this.#scheduled = this.#queued.length > 0;
    if (this.#scheduled) this.#pause();
  };

  #pause(): void {
    const pauseMs = Math.min(Math.floor(this.#tookMs), MAX_PAUSE_MS);
    if (pauseMs > 0) setTimeout(this.#start, pauseMs);
    else setImmediate(this.#start);
  }
}
