// Stretches of one incarnation of a log, read once for all viewers that need them at about the same time.
import type { LogPage } from '../log/log.ts';
import { sizeOf } from './ring.ts';

/**
 * Whole stretches are kept for the next viewer, so long after they were last used and so much of them in all: viewers
 * that read a long log back drift apart. A log's past does not change within an incarnation.
 */
const KEPT_MS = 3_000;
const KEPT_BYTES = 4 * 1024 * 1024;

interface Kept {
  readonly page: Promise<LogPage | undefined>;
  /** Of a stretch that has come, and is whole. */
  bytes: number;
  /** In ms of `performance.now()`. */
  usedAt: number;
}

export class Pages {
  readonly #epoch: string;
  readonly #read: (after: number) => Promise<LogPage | undefined>;
  readonly #size: number;
  /** By the seq that they follow on; the least recently used first. */
  readonly #kept = new Map<number, Kept>();
  #bytes = 0;
  #sweep: NodeJS.Timeout | undefined;

  constructor(epoch: string, read: (after: number) => Promise<LogPage | undefined>, size: number) {
    this.#epoch = epoch;
    this.#read = read;
    this.#size = size;
  }

  /** A stretch that holds something after a seq; undefined where this incarnation, as of now, holds nothing there. */
  async get(after: number): Promise<LogPage | undefined> {
    // Aligned, so that viewers at different cursors share a stretch.
    const shared = await this.#shared(after - (after % this.#size));
    if (this.#holds(shared, after)) return shared;
    // A read that began before this call may have missed what has come since.
    const own = await this.#read(after);
    return this.#holds(own, after) ? own : undefined;
  }

  #holds(page: LogPage | undefined, after: number): boolean {
    return page?.epoch === this.#epoch && (page.events.at(-1)?.seq ?? 0) > after;
  }

  #shared(from: number): Promise<LogPage | undefined> {
    const known = this.#kept.get(from);
    if (!known) return this.#fetch(from);
    known.usedAt = performance.now();
    this.#kept.delete(from);
    this.#kept.set(from, known);
    return known.page;
  }

  #fetch(from: number): Promise<LogPage | undefined> {
    const kept: Kept = { page: this.#read(from), bytes: 0, usedAt: performance.now() };
    this.#kept.set(from, kept);
    kept.page.then(
      (page) => {
        if (page?.events.length !== this.#size) return this.#drop(from);
        kept.bytes = page.events.reduce((sum, event) => sum + sizeOf(event), 0);
        this.#bytes += kept.bytes;
        this.#letGo();
      },
      () => this.#drop(from),
    );
    return kept.page;
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
