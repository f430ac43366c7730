// Logs the outages of a part: a line when one begins, every minute while it lasts, and when it ends.
import { describeFailure } from './failure-reason.ts';
import type { ErrorLogger } from './logger.ts';

const REMIND_EVERY_MS = 60_000;

interface Outage {
  readonly since: number;
  loggedAt: number;
  failedAt: number;
}

export class OutageLog {
  readonly #logger: ErrorLogger;
  readonly #part: string;
  readonly #words: readonly [failing: string, working: string];
  #outage: Outage | undefined;

  /**
   * @param part what fails, as the messages name it
   * @param words what the messages say of it
   */
  constructor(
    part: string,
    logger: ErrorLogger,
    words: readonly [failing: string, working: string] = ['unavailable', 'available'],
  ) {
    this.#part = part;
    this.#logger = logger;
    this.#words = words;
  }

  failed(err: unknown): void {
    const now = performance.now();
    if (!this.#outage) {
      this.#outage = { since: now, loggedAt: now, failedAt: now };
      this.#report(err, `${this.#part} ${this.#words[0]}`);
      return;
    }
    this.#outage.failedAt = now;
    if (now - this.#outage.loggedAt < REMIND_EVERY_MS) return;
    this.#outage.loggedAt = now;
    this.#report(err, `${this.#part} still ${this.#words[0]} after ${this.#seconds()} s`);
  }

  /** @param quietMs how long no failure may have been reported for the outage to have ended */
  succeeded(quietMs = 0): void {
    if (!this.#outage || performance.now() - this.#outage.failedAt < quietMs) return;
    const message = `${this.#part} ${this.#words[1]} again after ${this.#seconds()} s`;
    this.#logger.info?.({ part: this.#part }, message);
    this.#outage = undefined;
  }

  #report(err: unknown, message: string): void {
    this.#logger.error({ part: this.#part, err }, `${message}: ${describeFailure(err)}`);
  }

  #seconds(): number {
    return Math.round((performance.now() - this.#outage!.since) / 1_000);
  }
}
