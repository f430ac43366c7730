// A set that mostly has one member. That one stands by itself: a table for it would be memory for nothing, and where
// there are many such sets, to fetch the table for each event costs more than what is done with it.

export class SmallSet<T> implements Iterable<T> {
  #lone: T | undefined;
  /** From the second member on. */
  #all: Set<T> | undefined;

  /** The member, where there is but one. */
  get only(): T | undefined {
    return this.#lone;
  }

  get size(): number {
    return this.#all?.size ?? (this.#lone === undefined ? 0 : 1);
  }

  add(member: T): void {
    if (!this.#all && (this.#lone ?? member) === member) {
      this.#lone = member;
      return;
    }
    this.#all ??= new Set([this.#lone!]);
    this.#all.add(member);
    this.#lone = this.#all.size === 1 ? member : undefined;
  }

  /** Answers whether it was one. */
  delete(member: T): boolean {
    const wasOne = this.#all?.delete(member) ?? this.#lone === member;
    const [first, second] = this.#all ?? [];
    if (wasOne) this.#lone = second === undefined ? first : undefined;
    return wasOne;
  }

  clear(): void {
    this.#lone = undefined;
    this.#all?.clear();
  }

  /** Who leaves meanwhile is not told any more. */
  forEach(tell: (member: T) => void): void {
    if (this.#lone !== undefined) tell(this.#lone);
    else this.#all?.forEach(tell);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return (this.#all ?? (this.#lone === undefined ? [] : [this.#lone])).values();
  }
}
