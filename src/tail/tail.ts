// The one reader of an execution's log in this process: it listens, keeps the newest events in a ring, and wakes
// its viewers. It finds out what was missed, and never guesses.
//
// Invariants.
// - It listens, and the log has acknowledged that, before it reads where the log stands.
// - `head` grows by one event at a time or, after a jump over what the ring would not hold, to what a read of the
//   log said; the ring ends at `head` or is empty. It holds the terminal event once there is one: an ended log
//   expires, also under viewers that are still far from its end.
// - An announcement that does not follow on `head` is not used: the log is read instead.
// - A log that has lost its end is begun anew, in another epoch, before anything is made of it: whoever publishes next
//   may know nothing of the loss, and would give other events the seqs that viewers have seen.
// - Another epoch, or a head below ours, is another incarnation of the log. Viewers notice by themselves, when they
//   are woken: their epoch is not the tail's, or their cursor is above its head. So whatever changes where the log
//   stands wakes them before anything else happens.

import { backoff } from '../async/backoff.ts';
import { delay } from '../async/delay.ts';
import { messageOf } from '../event/errors.ts';
import { type ExecutionEvent, isFinal, isTerminal } from '../event/events.ts';
import type { Execution } from '../execution/store.ts';
import type { Announcement, LogListener, LogPage, LogReader, LogWriter, Unlisten } from '../log/log.ts';
import { type ArchivedResult, archivedEnd, archivedResultOf } from './archived-end.ts';
import { EventRing } from './event-ring.ts';
import type { Events } from './event-span.ts';
import { LogPageCache } from './log-page-cache.ts';
import { type TailViewer, ViewerSet } from './viewer-set.ts';

/** Events read from the log at a time. */
const PAGE = 256;
const RETRY_MS = { firstMs: 200, maxMs: 5_000 };

export interface TailOptions {
  readonly log: LogReader & Pick<LogWriter, 'open'>;
  /** The execution's row as it is now. */
  readonly loadRow: () => Promise<Execution | undefined>;
}

export class Tail implements LogListener {
  // First what each announcement touches: with many executions, to fetch it from memory is most of what that costs.
  readonly executionId: string;
  /** The log's incarnation; '' while there is no log. */
  epoch = '';
  head = 0;
  /** Seq of the terminal event; 0 while the execution is open. */
  end = 0;
  attempt = 1;
  readonly ring = new EventRing();
  readonly #viewers = new ViewerSet();
  /** The read of the log under way; announcements that come meanwhile only make it stale. */
  #reading: Promise<void> | undefined;
  /** The result, where all that is left of the log is its end. */
  archivedResult: ArchivedResult | undefined;
  /** Told to every viewer, also to those that join. */
  activeWarning: { readonly code: string; readonly message: string } | undefined;
  readonly #options: TailOptions;
  readonly #closed = new AbortController();
  #pages: LogPageCache;
  #unlisten: Unlisten | undefined;
  #stale = false;
  #catchingUp = false;
  /** Why a stretch could not be read for a viewer; cleared by a pause. */
  #failure: unknown;

  constructor(executionId: string, options: TailOptions) {
    this.executionId = executionId;
    this.#options = options;
    this.#pages = this.#newPages();
  }

  /**
   * Begins to listen and reads where the log stands.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` where the log does not answer.
   */
  async start(): Promise<void> {
    this.#unlisten = await this.#options.log.listen(this.executionId, this);
    await this.refresh();
  }

  /** From now on the viewer is woken and warned. */
  join(viewer: TailViewer): void {
    this.#viewers.add(viewer);
  }

  leave(viewer: TailViewer): void {
    this.#viewers.delete(viewer);
  }

  /** A viewer has taken the event at a seq. */
  taken(seq: number): void {
    if (seq === this.head && this.end === 0 && this.#viewers.isAlone) this.ring.clear();
  }

  /** The shortest interval that a viewer asks for. */
  get pollMs(): number {
    return this.#viewers.pollMs;
  }

  /** Warns every viewer. */
  warn(code: string, message: string): void {
    this.#viewers.warn(code, message);
  }

  /** Warns every viewer, and each one that joins, until it is taken back by undefined. */
  setActiveWarning(warning: Tail['activeWarning']): void {
    this.activeWarning = warning;
    if (warning) this.warn(warning.code, warning.message);
  }

  /**
   * Reads where the log stands now, past all that was appended before this call.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` where the log does not answer.
   */
  async refresh(): Promise<void> {
    await this.#reading?.catch(() => {});
    await this.#read();
  }

  onAnnouncement({ epoch, events }: Announcement): void {
    const follows = epoch === this.epoch && (events[0]?.seq ?? 0) <= this.head + 1;
    if (this.#reading || !follows) {
      void this.catchUp();
    } else if ((events.at(-1)?.seq ?? 0) > this.head) {
      this.#add(events);
      this.#viewers.wake();
    }
  }

  onInterruption(): void {
    void this.catchUp();
  }

  /**
   * A page of the log that holds something after a seq, for viewers that the ring has left behind, in parts that are
   * told at once. Undefined where the log, as this tail knows it, holds nothing there any more.
   */
  async page(after: number): Promise<readonly Events[] | undefined> {
    for (;;) {
      const pages = this.#pages;
      const page = await pages.get(after);
      // What was read of an incarnation that is no more says nothing about this one.
      if (pages === this.#pages) return page;
    }
  }

  /** Ends the tail with what the row knows, where the log is gone or has lost its end. */
  archive(row: Execution): void {
    const event = archivedEnd(row);
    if (!event || this.end > 0) return;
    this.epoch = row.end!.epoch;
    this.#pages = this.#newPages();
    this.head = event.seq;
    this.attempt = event.attempt;
    this.end = event.seq;
    this.archivedResult = archivedResultOf(row);
    this.ring.clear();
    this.ring.push(event);
    this.#viewers.wake();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    // A subscription that cannot be taken back, because the log is away, is the log's to forget.
    await this.#unlisten?.().catch(() => {});
  }

  /**
   * Reads the log until nothing is missing, however long that takes.
   * @param failure of a read that has just been made for a viewer. It counts as one of a read here, so that a log of
   *   which but a part cannot be read is not asked again and again without a pause.
   */
  async catchUp(failure?: unknown): Promise<void> {
    this.#stale = true;
    this.#failure ??= failure;
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    let failures = 0;
    while (this.#stale && !this.#closed.signal.aborted) {
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#read();
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1) this.warn('SOURCE_UNAVAILABLE', messageOf(error));
        await delay(backoff(RETRY_MS, failures), this.#closed.signal);
        this.#failure = undefined;
      }
    }
    this.#catchingUp = false;
  }

  /** One read of the log at a time; who asks while one is under way shares it. */
  #read(): Promise<void> {
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOn(): Promise<void> {
    this.#stale = false;
    try {
      const page = await this.#newest();
      const goesOn = page && page.epoch === this.epoch && page.head >= this.head;
      // Asked before anything is changed, so that a row that cannot be read for now is asked for again.
      const row = goesOn || this.epoch === '' || this.end > 0 ? undefined : await this.#options.loadRow();
      if (this.#closed.signal.aborted) return;
      // The row may have told the end meanwhile; nothing follows that.
      if (this.end === 0) {
        if (goesOn) this.#goOn(page);
        else this.#beginAgain(page);
        if (row && isFinal(row.status)) this.archive(row);
      }
    } catch (error) {
      this.#stale = true;
      throw error;
    }
    this.#viewers.wake();
  }

  /** What follows on `head`; of a log that has ended further away than that, its end. */
  async #newest(): Promise<LogPage | undefined> {
    const { log } = this.#options;
    const found = await log.read(this.executionId, this.head, PAGE);
    const page = found && this.#hasLostItsEnd(found) ? await this.#begunAnew(found) : found;
    const isEndFar = page && page.end > 0 && this.end === 0 && page.events.at(-1)?.seq !== page.end;
    return isEndFar ? log.read(this.executionId, page.end - 1, 1) : page;
  }

  #hasLostItsEnd({ numbering, epoch, head }: LogPage): boolean {
    return numbering === 'auto' && this.end === 0 && epoch === this.epoch && head < this.head;
  }

  async #begunAnew({ attempt, epoch }: LogPage): Promise<LogPage | undefined> {
    const { log } = this.#options;
    const lost = { epoch, acknowledged: this.head };
    await log.open(this.executionId, { numbering: 'auto', attempt, lost });
    return log.read(this.executionId, 0, PAGE);
  }

  #goOn(page: LogPage): void {
    this.attempt = page.attempt;
    if (page.head === this.head) return;
    const follows = page.events[0]?.seq === this.head + 1;
    if (follows && page.events.at(-1)?.seq === page.head) this.#add(page.events);
    else this.#jump(page);
  }

  /** The log was never there, is gone, or is another incarnation than the one known. */
  #beginAgain(page: LogPage | undefined): void {
    this.epoch = page?.epoch ?? '';
    this.#pages = this.#newPages();
    this.attempt = page?.attempt ?? this.attempt;
    this.#jump(page);
  }

  /** Takes the log's word for where it stands; what the ring then lacks, viewers read from the log. */
  #jump(page: LogPage | undefined): void {
    this.ring.clear();
    this.head = page?.head ?? 0;
    this.end = page?.end ?? 0;
    if (page?.events.at(-1)?.seq === this.head) for (const event of page.events) this.ring.push(event);
  }

  #newPages(): LogPageCache {
    const { log } = this.#options;
    return new LogPageCache(this.epoch, (after) => log.read(this.executionId, after, PAGE), PAGE);
  }

  #add(events: readonly ExecutionEvent[]): void {
    this.#viewers.hear(events.length);
    for (const event of events) {
      if (event.seq <= this.head) continue;
      this.ring.push(event);
      this.head = event.seq;
      this.attempt = event.attempt;
      if (isTerminal(event.type)) this.end = event.seq;
    }
  }
}
