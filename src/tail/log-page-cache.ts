// Pages of one incarnation of a log, each read once for all viewers that need it at about the same time. Pages never
// change within an incarnation, except that the last one grows.
//
// Invariants (test/tail/log-page-cache.test.ts)
// - Viewers at any cursor within a page share one read of it.
// - A page that was requested before this call, and that ends before the cursor, is read again.
// - A page that is in use is not evicted; one that has not been used for some seconds is, and no timer remains.
import type { LogPage } from '../log/log.ts';
import { dataBytesOf, type Events, splitIntoSpans } from './event-span.ts';

/** The events of one read, as spans. */
type Page = readonly Events[];

/** Time after its last use for which a page is cached: viewers that replay a long log drift apart. */
const MAX_AGE_MS = 3_000;
/** Bytes of all cached pages. */
const MAX_BYTES = 4 * 1024 * 1024;

interface CachedPage {
  readonly page: Promise<Page | undefined>;
  /** 0 until the page has been read. */
  bytes: number;
  /** In ms of `performance.now()`. */
  usedAt: number;
}

export class LogPageCache {
  readonly #epoch: string;
  readonly #readLog: (after: number) => Promise<LogPage | undefined>;
  readonly #pageSize: number;
  /** By the seq before their first event; the least recently used first. */
  readonly #pages = new Map<number, CachedPage>();
  #bytes = 0;
  #sweepTimer: NodeJS.Timeout | undefined;

  /**
   * @param epoch the incarnation; pages of another one are not returned
   * @param pageSize events of one read
   */
  constructor(epoch: string, read: (after: number) => Promise<LogPage | undefined>, pageSize: number) {
    this.#epoch = epoch;
    this.#readLog = read;
    this.#pageSize = pageSize;
  }

  /** A page that holds an event after a seq; undefined if this incarnation, at the time of the call, holds none. */
  async get(after: number): Promise<Page | undefined> {
    // Aligned, so that viewers at different cursors share a page.
    const from = after - (after % this.#pageSize);
    const cached = this.#pages.get(from);
    if (cached && endsAfter(await cached.page, after)) return this.#use(from, cached);
    // Its read began before this call, so it may lack newer events. One that another caller has started since does not.
    const newer = this.#pages.get(from);
    const page = await (newer && newer !== cached ? newer : this.#fetch(from)).page;
    return endsAfter(page, after) ? page : undefined;
  }

  /** Releases all pages. */
  clear(): void {
    clearTimeout(this.#sweepTimer);
    this.#sweepTimer = undefined;
    this.#pages.clear();
    this.#bytes = 0;
  }

  #use(from: number, cached: CachedPage): Promise<Page | undefined> {
    cached.usedAt = performance.now();
    if (this.#pages.get(from) === cached) {
      this.#pages.delete(from);
      this.#pages.set(from, cached);
    }
    return cached.page;
  }

  #fetch(from: number): CachedPage {
    this.#delete(from);
    const cached: CachedPage = { page: this.#read(from), bytes: 0, usedAt: performance.now() };
    this.#pages.set(from, cached);
    // A page is neither evicted nor read again while it is being read.
    cached.page.then(
      (page) => this.#onRead(from, cached, page),
      () => this.#delete(from),
    );
    return cached;
  }

  async #read(after: number): Promise<Page | undefined> {
    const page = await this.#readLog(after);
    return page?.epoch === this.#epoch ? splitIntoSpans(page.events) : undefined;
  }

  #onRead(from: number, cached: CachedPage, page: Page = []): void {
    if (page.length === 0) return void this.#delete(from);
    for (const events of page) for (const event of events) cached.bytes += dataBytesOf(event);
    this.#bytes += cached.bytes;
    this.#evict();
  }

  #delete(from: number): void {
    this.#bytes -= this.#pages.get(from)?.bytes ?? 0;
    this.#pages.delete(from);
  }

  /** Evicts pages that are too old or too many, and repeats that for as long as any is cached. */
  #evict(): void {
    const oldest = performance.now() - MAX_AGE_MS;
    for (const [from, { bytes, usedAt }] of this.#pages) {
      if (this.#bytes <= MAX_BYTES && usedAt > oldest) break;
      // A page that is being read has a caller that waits for it.
      if (bytes > 0) this.#delete(from);
    }
    if (this.#sweepTimer || this.#bytes === 0) return;
    this.#sweepTimer = setTimeout(() => {
      this.#sweepTimer = undefined;
      this.#evict();
    }, MAX_AGE_MS).unref();
  }
}

function endsAfter(page: Page | undefined, seq: number): boolean {
  return (page?.at(-1)?.at(-1)?.seq ?? 0) > seq;
}
