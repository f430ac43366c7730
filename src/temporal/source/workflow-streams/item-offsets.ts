// Which items of a stream have been shown. A signal does not have the offsets of its items: there may be items before them
// that the workflow has published itself, and which no event of the history has until a subscriber polls the stream.
//
// Invariants
// 1. All items before `confirmed` have been shown, or are lost.
// 2. Items of signals that were shown after it wait for their offsets, in their order. A poll meets them in the same order.
// 3. An item that is published twice with the same content is shown twice, although which of the two has which offset may
//    be mistaken.

interface KeyedItem {
  readonly key: string;
}

export class ItemOffsets {
  #confirmed: number;
  /** The keys of the items that wait for their offsets. */
  #waiting: string[] = [];
  /** How many of these may be before `confirmed`, in the part of the stream that was truncated. */
  #maybeLost = 0;

  constructor(confirmed = 0) {
    this.#confirmed = confirmed;
  }

  /** The offset up to which all items have been shown. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** The lowest possible number of items in the stream. */
  get known(): number {
    return this.#confirmed + Math.max(0, this.#waiting.length - this.#maybeLost);
  }

  /** Whether `known` is the number of items that were shown, and not less. */
  get isExact(): boolean {
    return this.#maybeLost === 0;
  }

  /** Items that a signal publishes. They are shown. */
  publish(items: readonly KeyedItem[]): void {
    for (const { key } of items) this.#waiting.push(key);
  }

  /** No items but those of signals are before this offset. */
  confirm(offset: number): void {
    const count = offset - this.#confirmed;
    if (count <= 0) return;
    this.#waiting.splice(0, count);
    this.#maybeLost = Math.min(this.#maybeLost, this.#waiting.length);
    this.#confirmed = offset;
  }

  /** The items before this offset were removed from the stream. */
  truncate(offset: number): void {
    const count = offset - this.#confirmed;
    if (count <= 0) return;
    this.#maybeLost = Math.min(this.#maybeLost + count, this.#waiting.length);
    this.#confirmed = offset;
  }

  /**
   * Items with their offsets, in order.
   * @returns those that have not been shown; they count as shown now
   */
  poll<Item extends KeyedItem & { readonly offset: number }>(items: readonly Item[]): Item[] {
    return items.filter(({ key, offset }) => {
      if (offset < this.#confirmed) return false;
      this.truncate(offset);
      this.#confirmed += 1;
      const at = this.#waiting.slice(0, this.#maybeLost + 1).indexOf(key);
      if (at < 0) return true;
      this.#waiting.splice(0, at + 1);
      this.#maybeLost = 0;
      return false;
    });
  }
}
