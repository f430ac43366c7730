// Counts per key. A key whose count returns to 0 uses no memory.

export class Counts {
  readonly #counts = new Map<string, number>();

  /** The count of a key. */
  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  increment(key: string): void {
    this.#counts.set(key, this.of(key) + 1);
  }

  decrement(key: string): void {
    const count = this.of(key) - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}
