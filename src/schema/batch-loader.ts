// Batches the loads of resolvers: one read for all keys that one level of the result tree needs.

interface Request<V> {
  readonly key: string;
  resolve(value: V | undefined): void;
  reject(error: unknown): void;
}

/** Returns the values of some keys; keys without a value have no entry. */
type LoadMany<V> = (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>;

export class BatchLoader<V> {
  readonly #loadMany: LoadMany<V>;
  readonly #maxBatch: number;
  /** Each key is loaded once. */
  readonly #promises = new Map<string, Promise<V | undefined>>();
  #queued: Request<V>[] = [];
  #isRunning = false;

  /** @param maxBatch keys of one call of `loadMany`; batches run one after another */
  constructor(loadMany: LoadMany<V>, maxBatch: number) {
    this.#loadMany = loadMany;
    this.#maxBatch = maxBatch;
  }

  /** Loads the value of a key; undefined if it has none. Rejects if the batch of the key does. */
  load(key: string): Promise<V | undefined> {
    const known = this.#promises.get(key);
    if (known) return known;
    const promise = new Promise<V | undefined>((resolve, reject) => {
      this.#queued.push({ key, resolve, reject });
    });
    this.#promises.set(key, promise);
    if (!this.#isRunning) {
      this.#isRunning = true;
      // nextTick inside a promise callback runs after all pending promise callbacks, and so after every resolver of this
      // level has requested its keys.
      void Promise.resolve().then(() => process.nextTick(() => void this.#run()));
    }
    return promise;
  }

  async #run(): Promise<void> {
    while (this.#queued.length > 0) {
      const batch = this.#queued.slice(0, this.#maxBatch);
      this.#queued = this.#queued.slice(this.#maxBatch);
      try {
        const values = await this.#loadMany(batch.map(({ key }) => key));
        for (const { key, resolve } of batch) resolve(values.get(key));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isRunning = false;
  }
}
