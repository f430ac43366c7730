// Limits the requests to Temporal: their rate per namespace, and the queries in flight per task queue.
//
// Invariants
// 1. Requests that wait are sent by priority, and in their order within a priority.
// 2. A request that waits for its task queue does not delay those of others: a task queue without workers keeps each
//    query until its deadline.
import { Counts } from '../../async/counts.ts';
import { LruMap } from '../../async/lru-map.ts';
import { TokenBuckets } from '../../async/token-bucket.ts';
import { TemporalError } from './errors.ts';

/**
 * What a request is for; the first ones are sent first.
 * - `end`: the end of a workflow
 * - `view`: the first response to a viewer
 * - `watch`: the history of a workflow that has viewers
 * - `poll`: news of such a workflow
 * - `retry`: the same, after a query that failed
 * - `sweep`: workflows without viewers
 */
export const PRIORITIES = ['end', 'view', 'watch', 'poll', 'retry', 'sweep'] as const;
export type RequestPriority = (typeof PRIORITIES)[number];

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
   * Queries in flight to the workers of one task queue. Those for ends may use twice as many, and those that failed
   * before half as many: they may last until their deadline again.
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

/** The share of the slots of a task queue that a priority may use; all of them by default. */
const SLOTS: { readonly [P in RequestPriority]?: number } = { end: 2, retry: 0.5 };

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
  /** Queries in flight, by task queue. */
  readonly queries: Counts;
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
          if (taskQueue !== undefined) namespace.queries.increment(taskQueue);
          resolve(() => this.#release(name, namespace, taskQueue));
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => entry.reject(signal!.reason);
      if (signal?.aborted) return reject(signal.reason);
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
    const created: Namespace = { waiting, queries: new Counts(), timer: undefined };
    this.#namespaces.set(name, created);
    return created;
  }

  #release(name: string, namespace: Namespace, taskQueue: string | undefined): void {
    if (taskQueue === undefined) return;
    namespace.queries.decrement(taskQueue);
    this.#serve(name, namespace);
  }

  /** Sends what may be sent now, and starts a timer for the rest. */
  #serve(name: string, namespace: Namespace): void {
    for (const priority of PRIORITIES) {
      for (const entry of namespace.waiting[priority]) {
        if (!this.#hasSlot(namespace, entry.request)) continue;
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

  #hasSlot({ queries }: Namespace, { taskQueue, priority }: LimitedRequest): boolean {
    if (taskQueue === undefined) return true;
    const { queriesPerTaskQueue } = this.#limits;
    return queries.of(taskQueue) < queriesPerTaskQueue * (SLOTS[priority] ?? 1);
  }

  #tooLong(): TemporalError {
    const { maxWaitMs, perSecond } = this.#limits;
    return new TemporalError(
      'rate-limited',
      `not sent within ${maxWaitMs} ms: this server sends up to ${perSecond} requests per second to a namespace`,
    );
  }
}
