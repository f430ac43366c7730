// Stretches of one incarnation of a log, read once for all viewers that need them at about the same time.
import type { LogPage } from '../log/log.ts';

/** Whole stretches that are kept for the next viewer; a log's past does not change within an incarnation. */
const KEPT = 4;

export class Pages {
  readonly #epoch: string;
  readonly #read: (after: number) => Promise<LogPage | undefined>;
  readonly #size: number;
  readonly #pages = new Map<number, Promise<LogPage | undefined>>();

  constructor(epoch: string, read: (after: number) => Promise<LogPage | undefined>, size: number) {
    this.#epoch = epoch;
    this.#read = read;
    this.#size = size;
  }

  /** A stretch that holds something after a seq; undefined where this incarnation, as of now, holds nothing there. */
  async get(after: number): Promise<LogPage | undefined> {
    // Aligned, so that viewers at different cursors share a stretch.
    const from = after - (after % this.#size);
    const shared = await (this.#pages.get(from) ?? this.#fetch(from));
    if (this.#holds(shared, after)) return shared;
    // A read that began before this call may have missed what has come since.
    const own = await this.#read(after);
    return this.#holds(own, after) ? own : undefined;
  }

  #holds(page: LogPage | undefined, after: number): boolean {
    return page?.epoch === this.#epoch && (page.events.at(-1)?.seq ?? 0) > after;
  }

  #fetch(from: number): Promise<LogPage | undefined> {
    const page = this.#read(from);
    this.#pages.set(from, page);
    page.then(
      (read) => {
        if (read?.events.length !== this.#size) this.#pages.delete(from);
        else if (this.#pages.size > KEPT) this.#pages.delete(this.#pages.keys().next().value!);
      },
      () => this.#pages.delete(from),
    );
    return page;
  }
}
