// Pages of one incarnation of a log, read once for all viewers that need them at about the same time.
import type { LogPage } from '../log/log.ts';
import { type Events, sizeOf, splitIntoSpans } from './event-span.ts';

/** Events that were read at once, in parts that are told at once. */
type Page = readonly Events[];

/**
 * Pages are kept for the next viewer, so long after they were last used and so much of them in all: viewers
 * that read a long log back drift apart. A log's past does not change within an incarnation.
 */
const KEPT_MS = 3_000;
const KEPT_BYTES = 4 * 1024 * 1024;

interface Kept {
  readonly page: Promise<Page | undefined>;
  /** Of a page that has come. */
  bytes: number;
  /** In ms of `performance.now()`. */
  usedAt: number;
}

export class LogPageCache {
  readonly #epoch: string;
  readonly #readLog: (after: number) => Promise<LogPage | undefined>;
  readonly #size: number;
  /** By the seq that they follow on; the least recently used first. */
  readonly #kept = new Map<number, Kept>();
  #bytes = 0;
  #sweep: NodeJS.Timeout | undefined;

  constructor(epoch: string, read: (after: number) => Promise<LogPage | undefined>, size: number) {
    this.#epoch = epoch;
    this.#readLog = read;
    this.#size = size;
  }

  /** A page that holds something after a seq; undefined where this incarnation, as of now, holds nothing there. */
  async get(after: number): Promise<Page | undefined> {
    // Aligned, so that viewers at different cursors share a page.
    const from = after - (after % this.#size);
    const known = this.#kept.get(from);
    if (known && holds(await known.page, after)) return this.#used(from, known);
    // One that was begun before this call may have missed what has come since.
    const since = this.#kept.get(from);
    const page = await (since && since !== known ? since : this.#fetch(from)).page;
    return holds(page, after) ? page : undefined;
  }

  #used(from: number, kept: Kept): Promise<Page | undefined> {
    kept.usedAt = performance.now();
    if (this.#kept.get(from) === kept) {
      this.#kept.delete(from);
      this.#kept.set(from, kept);
    }
    return kept.page;
  }

  #fetch(from: number): Kept {
    this.#drop(from);
    const kept: Kept = { page: this.#read(from), bytes: 0, usedAt: performance.now() };
    this.#kept.set(from, kept);
    kept.page.then(
      (page) => this.#keep(from, kept, page),
      () => this.#forget(from, kept),
    );
    return kept;
  }

  async #read(after: number): Promise<Page | undefined> {
    const page = await this.#readLog(after);
    return page?.epoch === this.#epoch ? splitIntoSpans(page.events) : undefined;
  }

  #keep(from: number, kept: Kept, page: Page = []): void {
    if (page.length === 0) this.#forget(from, kept);
    if (this.#kept.get(from) !== kept) return;
    for (const events of page) for (const event of events) kept.bytes += sizeOf(event);
    this.#bytes += kept.bytes;
    this.#letGo();
  }

  #forget(from: number, kept: Kept): void {
    if (this.#kept.get(from) === kept) this.#drop(from);
  }

  #drop(from: number): void {
    this.#bytes -= this.#kept.get(from)?.bytes ?? 0;
    this.#kept.delete(from);
  }

  /** Of what is too much, or was not used for long; and looks again as long as something is kept. */
  #letGo(): void {
    const before = performance.now() - KEPT_MS;
    for (const [from, { bytes, usedAt }] of this.#kept) {
      if (this.#bytes <= KEPT_BYTES && usedAt > before) break;
      // What is on its way is somebody's.
      if (bytes > 0) this.#drop(from);
    }
    if (this.#sweep || this.#bytes === 0) return;
    this.#sweep = setTimeout(() => {
      this.#sweep = undefined;
      this.#letGo();
    }, KEPT_MS).unref();
  }
}

function holds(page: Page | undefined, after: number): boolean {
  return (page?.at(-1)?.at(-1)?.seq ?? 0) > after;
}
