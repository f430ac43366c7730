// A counting semaphore, first come, first served.

export class Semaphore {
  readonly #permits: number;
  #free: number;
  #isClosed = false;
  readonly #waiting: (() => void)[] = [];

  constructor(permits: number) {
    this.#permits = permits;
    this.#free = permits;
  }

  /** Resolves once a permit is available. */
  async acquire(): Promise<void> {
    if (this.#isClosed) return;
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Returns a permit. Returning one that was not acquired changes nothing. */
  release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free = Math.min(this.#permits, this.#free + 1);
  }

  /** Admits all waiting callers, and every later one immediately. */
  close(): void {
    this.#isClosed = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
