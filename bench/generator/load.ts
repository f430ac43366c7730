// Publishes at the pace that a scenario asks for: so many events in flight, or so many a second.
import type { Watched } from './crowd.ts';

export interface LoadOptions {
  readonly executions: readonly Watched[];
  publish(execution: Watched, index: number, n: number): void;
}

/** Once nobody has got anything for so long, what is still awaited is lost. Some peers hold all back for seconds. */
const LOST_AFTER_MS = 15_000;

export class Load {
  readonly #options: LoadOptions;
  /** Of each execution, by an event's number: how many viewers have it still to get. */
  readonly #awaited = new Map<Watched, Map<number, number>>();
  #inFlight = 0;
  #window = 0;
  #last = Number.POSITIVE_INFINITY;
  #next = 0;
  #published = 0;
  #received = 0;
  /** How many had been received when it was last looked, and since when it is no more. */
  #progress = { received: -1, since: 0 };
  #onLanded: (() => void) | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    for (const execution of options.executions) this.#awaited.set(execution, new Map());
  }

  get published(): number {
    return this.#published;
  }

  /** Keeps so many events in flight for a while, and resolves when the last ones have landed. */
  async keepInFlight(window: number, forMs: number, atMost = Number.POSITIVE_INFINITY): Promise<void> {
    this.#last = this.#published + atMost;
    this.#window = window;
    const from = performance.now();
    this.#fill();
    while (performance.now() - from < forMs && this.#published < this.#last) {
      await sleep(10);
      this.#giveUpLost();
      this.#fill();
    }
    this.#window = 0;
    await this.#landed();
  }

  /** Publishes so many events a second, at even distances, and resolves when the last ones have landed. */
  async perSecond(rate: number, forMs: number): Promise<void> {
    const from = performance.now();
    const before = this.#published;
    for (;;) {
      const elapsed = performance.now() - from;
      if (elapsed >= forMs) break;
      while (this.#published - before < (elapsed / 1_000) * rate) this.#publish();
      await sleep(1);
    }
    await this.#landed();
  }

  /** A viewer has got an event. */
  received(execution: Watched, n: number): void {
    this.#received += 1;
    const awaited = this.#awaited.get(execution)!;
    const left = awaited.get(n);
    if (left === undefined) return;
    if (left > 1) {
      awaited.set(n, left - 1);
      return;
    }
    awaited.delete(n);
    this.#inFlight -= 1;
    this.#fill();
    if (this.#inFlight === 0) this.#onLanded?.();
  }

  #fill(): void {
    while (this.#inFlight < this.#window && this.#published < this.#last) this.#publish();
  }

  #publish(): void {
    const { executions, publish } = this.#options;
    const index = this.#next++ % executions.length;
    const execution = executions[index]!;
    execution.published += 1;
    this.#published += 1;
    this.#inFlight += 1;
    this.#awaited.get(execution)!.set(execution.published, execution.readers);
    publish(execution, index, execution.published);
  }

  async #landed(): Promise<void> {
    while (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#onLanded = resolve;
        setTimeout(resolve, 100);
      });
      this.#giveUpLost();
    }
  }

  #giveUpLost(): void {
    const now = performance.now();
    if (this.#inFlight === 0 || this.#received !== this.#progress.received) {
      this.#progress = { received: this.#received, since: now };
    } else if (now - this.#progress.since >= LOST_AFTER_MS) {
      for (const awaited of this.#awaited.values()) awaited.clear();
      this.#inFlight = 0;
      this.#progress.since = now;
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
