// A Set optimised for one element: no hash table is allocated until a second element is added. Most executions have
// one viewer and one listener; with many executions, loading a hash table for each event costs more than the work done
// with its element.

export class SmallSet<T> implements Iterable<T> {
  #only: T | undefined;
  /** Allocated with the second element. */
  #all: Set<T> | undefined;

  /** The element, if there is exactly one. */
  get only(): T | undefined {
    return this.#only;
  }

  get size(): number {
    return this.#all?.size ?? (this.#only === undefined ? 0 : 1);
  }

  add(element: T): void {
    if (!this.#all && (this.#only ?? element) === element) {
      this.#only = element;
      return;
    }
    this.#all ??= new Set([this.#only!]);
    this.#all.add(element);
    this.#only = this.#all.size === 1 ? element : undefined;
  }

  /** Returns whether the element was in the set. */
  delete(element: T): boolean {
    const wasElement = this.#all?.delete(element) ?? this.#only === element;
    const [first, second] = this.#all ?? [];
    if (wasElement) this.#only = second === undefined ? first : undefined;
    return wasElement;
  }

  clear(): void {
    this.#only = undefined;
    this.#all?.clear();
  }

  /** An element that is removed during the iteration is not visited any more. */
  forEach(visit: (element: T) => void): void {
    if (this.#only !== undefined) visit(this.#only);
    else this.#all?.forEach(visit);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return (this.#all ?? (this.#only === undefined ? [] : [this.#only])).values();
  }
}
