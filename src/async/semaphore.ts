// A counting semaphore: a number of permits; whoever finds none waits for its turn.

export class Semaphore {
  readonly #permits: number;
  #free: number;
  #isClosed = false;
  readonly #waiting: (() => void)[] = [];

  constructor(permits: number) {
    this.#permits = permits;
    this.#free = permits;
  }

  /** Resolves once there is a permit, in order. */
  async acquire(): Promise<void> {
    if (this.#isClosed) return;
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Gives a permit back; one that was not taken changes nothing. */
  release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free = Math.min(this.#permits, this.#free + 1);
  }

  /** Nobody waits from now on. */
  close(): void {
    this.#isClosed = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
