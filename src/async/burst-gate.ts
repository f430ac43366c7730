// Lets those who come at once in a few at a time. When a server restarts, its viewers come back together; to read all
// their requests in one turn of the event loop would hold up those who watch, and so would it to open all their streams
// when what they wait for comes together too (one query answers many).

/** To open a stream takes about half a millisecond, so many a few. */
const MAX_PER_TURN = 2;

export class BurstGate {
  /** Let in in this turn. */
  #entered = 0;
  readonly #waiting: (() => void)[] = [];

  /** Resolves in a turn of the event loop that is shared with few others, in order; at once for the first of a turn. */
  async pass(): Promise<void> {
    if (this.#entered === 0) setImmediate(this.#nextTurn);
    this.#entered += 1;
    if (this.#entered > MAX_PER_TURN) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  readonly #nextTurn = (): void => {
    const next = this.#waiting.splice(0, MAX_PER_TURN);
    this.#entered = this.#waiting.length > 0 ? MAX_PER_TURN : next.length;
    if (this.#entered > 0) setImmediate(this.#nextTurn);
    for (const resolve of next) resolve();
  };
}
