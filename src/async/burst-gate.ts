// Smooths connection storms: admits two callers per turn of the event loop.
//
// When a server restarts, all of its viewers reconnect within moments. Parsing all their requests in one turn would
// stall the viewers that are already connected, and so would opening all their streams when the query that they wait
// for answers them together.

/** Opening a stream takes about 0.5 ms, so a turn stays near 1 ms. */
const MAX_PER_TURN = 2;

export class BurstGate {
  /** Callers admitted in this turn. */
  #admitted = 0;
  readonly #waiting: (() => void)[] = [];

  /** Resolves in order, immediately for the first callers of a turn. */
  async pass(): Promise<void> {
    if (this.#admitted === 0) setImmediate(this.#nextTurn);
    this.#admitted += 1;
    if (this.#admitted > MAX_PER_TURN) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  readonly #nextTurn = (): void => {
    const next = this.#waiting.splice(0, MAX_PER_TURN);
    this.#admitted = this.#waiting.length > 0 ? MAX_PER_TURN : next.length;
    if (this.#admitted > 0) setImmediate(this.#nextTurn);
    for (const resolve of next) resolve();
  };
}
