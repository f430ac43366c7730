// Lets those who come at once in one a turn of the event loop. When a server restarts, its viewers come back together;
// to read all their requests in one turn would hold up those who watch, and so would it to open all their streams when
// what they wait for comes together too (one query answers many).

export class Entrance {
  /** Whether one has been let in in this turn. */
  #taken = false;
  readonly #waiting: (() => void)[] = [];

  /** Resolves in a turn that is shared with no other, in order; at once for one that comes alone. */
  async enter(): Promise<void> {
    if (this.#taken) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#taken = true;
    setImmediate(this.#nextTurn);
  }

  readonly #nextTurn = (): void => {
    const next = this.#waiting.shift();
    this.#taken = next !== undefined;
    if (!next) return;
    setImmediate(this.#nextTurn);
    next();
  };
}
