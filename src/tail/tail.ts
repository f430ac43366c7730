// The one reader of an execution's log in this process: it listens for announcements, keeps the newest events in a
// ring, and wakes its viewers. It detects missed announcements and reads the log again; it never assumes.
//
// Invariants (test/tail; those of the events in memory are in log-window.ts)
// - It listens, and the log has acknowledged that, before it reads the log's head.
// - An announcement that does not continue `head`, or that arrives during a read, is not used: the log is read again.
// - Viewers detect another incarnation of the log when they are woken: their epoch is not the tail's, or their cursor is
//   above its head. So every change of epoch or head wakes them before anything else happens.
// - A log that cannot be read is read again after a backoff, for as long as the tail is open. Viewers are warned once per
//   outage.
import { backoff } from '../async/backoff.ts';
import { messageOf } from '../event/error-message.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import { isOtherRow } from '../execution/incarnation.ts';
import type { Execution } from '../execution/store.ts';
import type { Announcement, LogListener, Unlisten } from '../log/log.ts';
import { replaceLog } from '../source/row-watch.ts';
import { type CatchUpState, CLOSED, CURRENT, Paused } from './catch-up-state.ts';
import type { Events } from './event-span.ts';
import type { LogOutages } from './log-outages.ts';
import { LogPageCache } from './log-page-cache.ts';
import { LogWindow } from './log-window.ts';
import { PAGE_SIZE, readNewest, type TailLog } from './read-newest.ts';
import { type TailViewer, ViewerSet } from './viewer-set.ts';

const RETRY_MS = { firstMs: 200, maxMs: 5_000 };

export interface TailOptions {
  readonly log: TailLog;
  /** Reads the execution's current row. */
  readonly loadRow: () => Promise<Execution | undefined>;
  readonly outages: LogOutages;
  /**
   * Limits of a terminal event that is created from the row.
   * @default DEFAULT_SIZE_LIMITS
   */
  readonly sizes?: SizeLimits | undefined;
  /**
   * Called when the log of another row has replaced one that had ended, whose sources are no longer followed.
   * @default none
   */
  readonly onReplaced?: () => void;
}

/** Extends the window rather than holding one: an announcement then loads one object from memory. */
export class Tail extends LogWindow implements LogListener {
  readonly #viewers = new ViewerSet();
  #catchUp: CatchUpState = CURRENT;
  /** Sent to every viewer, including those that join later. */
  activeWarning: { readonly code: string; readonly message: string } | undefined;
  readonly #options: TailOptions;
  #pages: LogPageCache;
  #unlisten: Unlisten | undefined;
  /** The read of state `Reading`. */
  #read: Promise<void> | undefined;
  /** The timer of state `Paused`. */
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(executionId: string, options: TailOptions) {
    super(executionId);
    this.#options = options;
    this.#pages = this.#newPages();
  }

  /**
   * Starts to listen and reads the newest events.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the log is unavailable
   */
  async start(): Promise<void> {
    this.#unlisten = await this.#options.log.listen(this.executionId, this);
    await this.refresh();
  }

  /** Adds a viewer, which is woken and warned from now on. */
  join(viewer: TailViewer): void {
    this.#viewers.add(viewer);
  }

  leave(viewer: TailViewer): void {
    this.#viewers.delete(viewer);
  }

  /** Called by a viewer that has taken all events up to a seq. */
  taken(seq: number): void {
    if (seq === this.head && this.end === 0 && this.#viewers.isAlone) this.ring.clear();
  }

  /** The shortest poll interval that a viewer has requested, in ms. */
  get pollMs(): number {
    return this.#viewers.pollMs;
  }

  /** Warns every viewer. */
  warn(code: string, message: string): void {
    this.#viewers.warn(code, message);
  }

  /** Warns every viewer, and each one that joins later, until it is called with undefined. */
  setActiveWarning(warning: Tail['activeWarning']): void {
    this.activeWarning = warning;
    if (warning) this.warn(warning.code, warning.message);
  }

  /**
   * Reads the newest events, including all that were appended before this call.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the log is unavailable
   */
  async refresh(): Promise<void> {
    // A read in progress may have begun before the events that the caller needs were appended.
    if (this.#catchUp.isReading) await this.#read!.catch(() => {});
    // Those who waited for the same read share the next one.
    if (!this.#catchUp.isReading) this.#enter(this.#catchUp.refresh());
    if (this.#catchUp.isReading) await this.#read;
  }

  onAnnouncement({ epoch, events }: Announcement): void {
    if (this.#catchUp.isReading || !this.isContinuedBy(epoch, events)) {
      this.missed();
    } else if ((events.at(-1)?.seq ?? 0) > this.head) {
      this.#viewers.countEvents(this.append(events));
      this.#viewers.wake();
    }
  }

  onInterruption(): void {
    this.missed();
  }

  /** Events may be missing: reads the log until none is, however long that takes. */
  missed(): void {
    this.#change(this.#catchUp.missed());
  }

  /** A page could not be read. Viewers are woken, and can request it again, after a pause and a successful read. */
  pageFailed(error: unknown): void {
    this.#change(this.#catchUp.pageFailed(error));
  }

  /**
   * Reads a page of the log that holds an event after a seq, for a viewer whose next event is not in the ring.
   * @returns the page as spans; undefined if the log, in the tail's epoch, holds no such event any more
   */
  async page(after: number): Promise<readonly Events[] | undefined> {
    for (;;) {
      const pages = this.#pages;
      const page = await pages.get(after);
      // A page of an earlier epoch says nothing about the current one.
      if (pages === this.#pages) return page;
    }
  }

  /** Ends the tail with the terminal event of the row, if the log is gone or has lost its end. */
  archive(row: Execution): void {
    if (!this.endWith(row, this.#options.sizes)) return;
    this.#pages = this.#newPages();
    this.#viewers.wake();
  }

  /**
   * Continues with the log of the current row, if it is another one than that of this tail's log: the former row was
   * deleted, and this one inserted under its id.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the log or the store is unavailable
   */
  async followRow(): Promise<void> {
    await this.refresh();
    const row = await this.#options.loadRow();
    if (!row || !isOtherRow(row, this)) return;
    await replaceLog(this.#options.log, row);
    await this.refresh();
  }

  async close(): Promise<void> {
    this.#change(CLOSED);
    this.#options.outages.ended(this.executionId);
    this.#pages.clear();
    // If the log is unavailable, it discards the subscription itself.
    await this.#unlisten?.().catch(() => {});
  }

  /** Changes the state. A read in progress continues; the state that it ends in decides what follows. */
  #change(next: CatchUpState): void {
    if (next === this.#catchUp) return;
    if (this.#catchUp.isReading) this.#catchUp = next;
    else this.#enter(next);
  }

  /** Changes the state and performs what it requires. */
  #enter(next: CatchUpState): void {
    this.#catchUp = next;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#read = next.isReading ? this.#readOnce() : undefined;
    if (next instanceof Paused) this.#pause(next);
  }

  #readOnce(): Promise<void> {
    const read = this.#readLog().then(
      () => {
        this.#options.outages.ended(this.executionId);
        this.#enter(this.#catchUp.succeeded());
      },
      (error: unknown) => {
        this.#enter(this.#catchUp.failed(error));
        throw error;
      },
    );
    // Nobody may wait for it.
    read.catch(() => {});
    return read;
  }

  #pause({ failures, error }: Paused): void {
    if (failures === 1) {
      this.warn('SOURCE_UNAVAILABLE', messageOf(error));
      this.#options.outages.began(this.executionId, error);
    }
    const retry = () => this.#enter(this.#catchUp.elapsed());
    this.#retryTimer = setTimeout(retry, backoff(RETRY_MS, failures)).unref();
  }

  async #readLog(): Promise<void> {
    const { log, loadRow, onReplaced } = this.#options;
    const page = await readNewest(log, this);
    const isSameLog = page && page.epoch === this.epoch && page.head >= this.head;
    // Before anything changes, so that a row that cannot be read now is read again with the log.
    const row = isSameLog || this.epoch === '' || this.end > 0 ? undefined : await loadRow();
    if (this.#catchUp === CLOSED) return;
    // The row may have ended this tail in the meantime. Nothing follows the terminal event, except the log of another row
    // that was inserted under the same id.
    const isReplaced = this.end > 0 && page !== undefined && isOtherRow(page, this);
    if (this.end === 0 || isReplaced) {
      if (isSameLog) {
        this.#viewers.countEvents(this.advance(page));
      } else {
        this.startEpoch(page);
        this.#pages = this.#newPages();
      }
      if (row) this.archive(row);
      if (isReplaced) onReplaced?.();
    }
    this.#viewers.wake();
  }

  #newPages(): LogPageCache {
    const read = (after: number) => this.#options.log.read(this.executionId, after, PAGE_SIZE);
    return new LogPageCache(this.epoch, read, PAGE_SIZE);
  }
}
