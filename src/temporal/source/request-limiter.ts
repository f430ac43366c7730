// Limits the requests to Temporal: their rate per namespace, and the queries in flight per task queue.
//
// Invariants
// 1. Requests that wait are sent by priority, and in their order within a priority.
// 2. A request that waits for its task queue does not delay those of others: a task queue without workers keeps each
//    query until its deadline.
// 3. A query for an end does not wait at its worker for many others: few of them are sent while there are ends.
import { Counts } from '../../async/counts.ts';
import { LruMap } from '../../async/lru-map.ts';
import { TokenBuckets } from '../../async/token-bucket.ts';
import { TemporalError } from './errors.ts';
import { QuerySlots } from './query-slots.ts';
import { PRIORITIES, type RequestPriority } from './request-priority.ts';

export interface RequestLimits {
  /**
   * Requests of this process to one namespace per second.
   * @default 500
   */
  readonly perSecond: number;
  /**
   * Requests that may be sent without delay after a time with few requests.
   * @default 1000
   */
  readonly burst: number;
  /**
   * Queries in flight to the workers of one task queue. Those for ends may use twice as many, others a quarter while there are
   * any for ends, and those that failed before half as many: they may last until their deadline again.
   * @default 16
   */
  readonly queriesPerTaskQueue: number;
  /**
   * How long a request may wait for its turn, in ms. Queries wait as long as their task queue is busy.
   * @default 10000
   */
  readonly maxWaitMs: number;
}

export const DEFAULT_REQUEST_LIMITS: RequestLimits = {
  perSecond: 500,
  burst: 1_000,
  queriesPerTaskQueue: 16,
  maxWaitMs: 10_000,
};

/** Namespaces whose requests are limited together; above it, the one that was used longest ago starts again. */
const MAX_NAMESPACES = 1_000;

export interface LimitedRequest {
  readonly namespace: string;
  readonly priority: RequestPriority;
  /** The task queue whose workers respond; undefined if Temporal itself does. */
  readonly taskQueue?: string | undefined;
}

interface Waiting {
  readonly request: LimitedRequest;
  send(): void;
  reject(error: unknown): void;
}

interface Namespace {
  readonly waiting: { readonly [P in RequestPriority]: Set<Waiting> };
  readonly slots: QuerySlots;
  timer: NodeJS.Timeout | undefined;
}

export class RequestLimiter {
  readonly #limits: RequestLimits;
  readonly #rates: TokenBuckets;
  readonly #namespaces = new LruMap<string, Namespace>(MAX_NAMESPACES);
  readonly #waiting = new Counts();
  readonly #waitedMs = new Map<RequestPriority, number>();

  constructor(limits: RequestLimits) {
    this.#limits = limits;
    this.#rates = new TokenBuckets(limits);
  }

  /** The number of requests that wait. */
  waiting(priority: RequestPriority): number {
    return this.#waiting.of(priority);
  }

  /** How long requests of a priority have waited in total, in ms. */
  waitedMs(priority: RequestPriority): number {
    return this.#waitedMs.get(priority) ?? 0;
  }

  /**
   * Resolves when the request may be sent, to a function that must be called when it is done.
   * @throws TemporalError `rate-limited` after `maxWaitMs`; the error of `rejectQueries`; the reason of the signal
   */
  acquire(request: LimitedRequest, signal?: AbortSignal): Promise<() => void> {
    const { namespace: name, priority, taskQueue } = request;
    const namespace = this.#namespace(name);
    const queue = namespace.waiting[priority];
    const { slots } = namespace;
    const since = performance.now();
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const leave = (): void => {
        queue.delete(entry);
        this.#waiting.decrement(priority);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waitedMs.set(priority, this.waitedMs(priority) + performance.now() - since);
      };
      const entry: Waiting = {
        request,
        send: () => {
          leave();
          if (taskQueue !== undefined) slots.take(taskQueue, priority);
          resolve(() => this.#release(name, namespace, request));
        },
        reject: (error) => {
          leave();
          if (taskQueue !== undefined) slots.leave(taskQueue, priority);
          reject(error);
        },
      };
      const onAbort = (): void => entry.reject(signal!.reason);
      if (signal?.aborted) return reject(signal.reason);
      if (taskQueue !== undefined) slots.enter(taskQueue, priority);
      queue.add(entry);
      this.#waiting.increment(priority);
      this.#serve(name, namespace);
      if (!queue.has(entry)) return;
      signal?.addEventListener('abort', onAbort);
      if (taskQueue !== undefined) return;
      timer = setTimeout(() => entry.reject(this.#tooLong()), this.#limits.maxWaitMs).unref();
    });
  }

  /** Rejects the queries that wait for a task queue, except for those that an end needs. */
  rejectQueries(name: string, taskQueue: string, error: TemporalError): void {
    const { waiting } = this.#namespace(name);
    for (const priority of PRIORITIES) {
      if (priority === 'end') continue;
      for (const entry of waiting[priority]) if (entry.request.taskQueue === taskQueue) entry.reject(error);
    }
  }

  #namespace(name: string): Namespace {
    const known = this.#namespaces.get(name);
    if (known) return known;
    const waiting = Object.fromEntries(
      PRIORITIES.map((priority) => [priority, new Set()]),
    ) as Namespace['waiting'];
    const slots = new QuerySlots(this.#limits.queriesPerTaskQueue);
    const created: Namespace = { waiting, slots, timer: undefined };
    this.#namespaces.set(name, created);
    return created;
  }

  #release(name: string, namespace: Namespace, { taskQueue, priority }: LimitedRequest): void {
    if (taskQueue === undefined) return;
    namespace.slots.release(taskQueue, priority);
    this.#serve(name, namespace);
  }

  /** Sends what may be sent now, and starts a timer for the rest. */
  #serve(name: string, namespace: Namespace): void {
    for (const priority of PRIORITIES) {
      for (const entry of namespace.waiting[priority]) {
        const { taskQueue } = entry.request;
        if (taskQueue !== undefined && !namespace.slots.isFree(taskQueue, priority)) continue;
        const waitMs = this.#rates.take(name);
        if (waitMs > 0) {
          namespace.timer ??= setTimeout(() => {
            namespace.timer = undefined;
            this.#serve(name, namespace);
          }, waitMs).unref();
          return;
        }
        entry.send();
      }
    }
  }

  #tooLong(): TemporalError {
    const { maxWaitMs, perSecond } = this.#limits;
    return new TemporalError(
      'rate-limited',
      `not sent within ${maxWaitMs} ms: this server sends up to ${perSecond} requests per second to a namespace`,
    );
  }
}
