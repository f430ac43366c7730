// A Map of limited size that evicts the least recently used entry.

export class LruMap<K, V> {
  readonly #maxSize: number;
  /** Least recently used first: a Map iterates in insertion order, and each use inserts its entry again. */
  readonly #entries = new Map<K, V>();

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** The value of a key, which becomes the most recently used one. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined || this.#entries.has(key)) this.set(key, value as V);
    return value;
  }

  /** Adds or replaces an entry, and evicts the least recently used one above the size limit. */
  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#maxSize) this.#entries.delete(this.#entries.keys().next().value!);
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }
}
