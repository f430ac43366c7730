// Publishes at the pace of a scenario: with a number of events in flight, or at a rate.
import type { Watched } from './crowd.ts';

export interface LoadOptions {
  readonly executions: readonly Watched[];
  publish(execution: Watched, index: number, n: number): void;
}

/** If nothing arrives for this long, the awaited events are lost. Some peers stall for seconds. */
const LOST_AFTER_MS = 15_000;

export class Load {
  readonly #options: LoadOptions;
  /** By execution and event number: how many viewers have not received the event yet. */
  readonly #awaited = new Map<Watched, Map<number, number>>();
  #inFlight = 0;
  #window = 0;
  #last = Number.POSITIVE_INFINITY;
  #next = 0;
  #published = 0;
  #received = 0;
  /** The number of received events at the last check, and when it last changed. */
  #progress = { received: -1, since: 0 };
  #onDrained: (() => void) | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    for (const execution of options.executions) this.#awaited.set(execution, new Map());
  }

  get published(): number {
    return this.#published;
  }

  /** Keeps `window` events in flight for `forMs`, and resolves once the last ones have arrived. */
  async keepInFlight(window: number, forMs: number, maxEvents = Number.POSITIVE_INFINITY): Promise<void> {
    this.#last = this.#published + maxEvents;
    this.#window = window;
    const from = performance.now();
    this.#fill();
    while (performance.now() - from < forMs && this.#published < this.#last) {
      await sleep(10);
      this.#giveUpLost();
      this.#fill();
    }
    this.#window = 0;
    await this.#drained();
  }

  /** Publishes `rate` events per second, evenly spaced, and resolves once the last ones have arrived. */
  async perSecond(rate: number, forMs: number): Promise<void> {
    const from = performance.now();
    const before = this.#published;
    for (;;) {
      const elapsed = performance.now() - from;
      if (elapsed >= forMs) break;
      while (this.#published - before < (elapsed / 1_000) * rate) this.#publish();
      await sleep(1);
    }
    await this.#drained();
  }

  /** Reports that a viewer has received an event. */
  received(execution: Watched, n: number): void {
    this.#received += 1;
    const awaited = this.#awaited.get(execution)!;
    const remaining = awaited.get(n);
    if (remaining === undefined) return;
    if (remaining > 1) {
      awaited.set(n, remaining - 1);
      return;
    }
    awaited.delete(n);
    this.#inFlight -= 1;
    this.#fill();
    if (this.#inFlight === 0) this.#onDrained?.();
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

  async #drained(): Promise<void> {
    while (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve;
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
