// A set that mostly has one member. That one stands by itself: a table for it would be memory for nothing, and where
// there are many such sets, to fetch the table for each event costs more than what is done with it.

export class Few<T> implements Iterable<T> {
  #lone: T | undefined;
  /** From two members on. */
  #all: Set<T> | undefined;

  /** The member, where there is but one. */
  get lone(): T | undefined {
    return this.#lone;
  }

  get size(): number {
    return this.#all?.size ?? (this.#lone === undefined ? 0 : 1);
  }

  add(member: T): void {
    if (this.#all) {
      this.#all.add(member);
    } else if (this.#lone === undefined || this.#lone === member) {
      this.#lone = member;
    } else {
      this.#all = new Set([this.#lone, member]);
      this.#lone = undefined;
    }
  }

  /** Answers whether it was one. */
  delete(member: T): boolean {
    if (this.#all) {
      const wasOne = this.#all.delete(member);
      if (this.#all.size === 1) [this.#lone] = this.#all;
      if (this.#lone !== undefined) this.#all = undefined;
      return wasOne;
    }
    const wasOne = this.#lone === member;
    if (wasOne) this.#lone = undefined;
    return wasOne;
  }

  clear(): void {
    this.#lone = undefined;
    this.#all = undefined;
  }

  /** Members that join or leave meanwhile are as with any Set. */
  forEach(tell: (member: T) => void): void {
    if (this.#lone !== undefined) tell(this.#lone);
    else this.#all?.forEach(tell);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return (this.#all ?? (this.#lone === undefined ? [] : [this.#lone])).values();
  }
}
