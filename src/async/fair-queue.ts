// A fair queue: limits concurrent work in total and per key, and serves waiting keys in turn, so that one key with
// much work cannot starve the others.

export interface FairQueueLimits {
  /** Work that runs concurrently, of all keys together. */
  readonly concurrency: number;
  /** Work that runs concurrently for one key. */
  readonly perKey: number;
}

interface Waiting {
  start(): void;
}

interface Lane {
  running: number;
  readonly waiting: Set<Waiting>;
}

export class FairQueue {
  readonly #limits: FairQueueLimits;
  /** Keys with running or waiting work. The order is the order of service: a key that was served moves to the end. */
  readonly #lanes = new Map<string, Lane>();
  #running = 0;

  constructor(limits: FairQueueLimits) {
    this.#limits = limits;
  }

  /**
   * Runs work once a slot is free for its key. Rejects with what the work throws.
   * @param signal on abort, work that has not started is removed from the queue, and the promise rejects with the
   *   signal's reason. Running work is not interrupted.
   */
  async run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const lane = this.#lane(key);
    if (this.#canStart(lane)) this.#start(key, lane);
    else await this.#slot(key, lane, signal);
    try {
      return await work();
    } finally {
      lane.running -= 1;
      this.#running -= 1;
      this.#dropIfIdle(key, lane);
      this.#serveNext();
    }
  }

  /** Keys with running or waiting work; 0 when idle. */
  get keys(): number {
    return this.#lanes.size;
  }

  #lane(key: string): Lane {
    const known = this.#lanes.get(key);
    if (known) return known;
    const lane: Lane = { running: 0, waiting: new Set() };
    this.#lanes.set(key, lane);
    return lane;
  }

  #canStart(lane: Lane): boolean {
    return this.#running < this.#limits.concurrency && lane.running < this.#limits.perKey;
  }

  #start(key: string, lane: Lane): void {
    this.#running += 1;
    lane.running += 1;
    this.#lanes.delete(key);
    this.#lanes.set(key, lane);
  }

  #slot(key: string, lane: Lane, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        lane.waiting.delete(entry);
        this.#dropIfIdle(key, lane);
        reject(signal!.reason);
      };
      const entry: Waiting = {
        start: () => {
          signal?.removeEventListener('abort', onAbort);
          this.#start(key, lane);
          resolve();
        },
      };
      lane.waiting.add(entry);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #serveNext(): void {
    for (const lane of this.#lanes.values()) {
      const [next] = lane.waiting;
      if (!next || !this.#canStart(lane)) continue;
      lane.waiting.delete(next);
      next.start();
      return;
    }
  }

  #dropIfIdle(key: string, lane: Lane): void {
    if (lane.running === 0 && lane.waiting.size === 0) this.#lanes.delete(key);
  }
}
