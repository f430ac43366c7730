// The queries in flight to the workers of each task queue. Workers that are busy respond to them in their order, and a
// query that nobody responds to lasts until its deadline.
import { Counts } from '../../async/counts.ts';
import type { RequestPriority } from './request-priority.ts';

/** The share of the slots of a task queue that a priority may use; all of them by default. */
const SHARES: { readonly [P in RequestPriority]?: number } = { end: 2, retry: 0.5 };
/** The part of that for others while there are queries for ends. */
const BESIDE_ENDS = 0.25;

export class QuerySlots {
  readonly #slots: number;
  readonly #inFlight = new Counts();
  /** Those in flight that are not for ends. */
  readonly #others = new Counts();
  /** Those for ends that wait or are in flight. */
  readonly #ends = new Counts();

  /** @param slots for each task queue */
  constructor(slots: number) {
    this.#slots = slots;
  }

  /** A query wants to be sent. Call `take` or `leave` for it. */
  enter(taskQueue: string, priority: RequestPriority): void {
    if (priority === 'end') this.#ends.increment(taskQueue);
  }

  /** A query that has entered is not sent. */
  leave(taskQueue: string, priority: RequestPriority): void {
    if (priority === 'end') this.#ends.decrement(taskQueue);
  }

  /** Whether a query that has entered may be sent. */
  isFree(taskQueue: string, priority: RequestPriority): boolean {
    const slots = this.#slots * (SHARES[priority] ?? 1);
    if (this.#inFlight.of(taskQueue) >= slots) return false;
    if (priority === 'end' || this.#ends.of(taskQueue) === 0) return true;
    return this.#others.of(taskQueue) < slots * BESIDE_ENDS;
  }

  /** A query that has entered is sent. Call `release` when it is done. */
  take(taskQueue: string, priority: RequestPriority): void {
    this.#inFlight.increment(taskQueue);
    if (priority !== 'end') this.#others.increment(taskQueue);
  }

  release(taskQueue: string, priority: RequestPriority): void {
    this.#inFlight.decrement(taskQueue);
    (priority === 'end' ? this.#ends : this.#others).decrement(taskQueue);
  }
}
