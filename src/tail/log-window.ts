// The end of a log, as one process holds it in memory: epoch, head, terminal event and newest events. It does no I/O.
//
// Invariants (test/tail/log-window.test.ts)
// - `head` grows by one event at a time or, when events in between are skipped, to the head that a read returned.
// - The ring ends at `head` or is empty. An event is added to it once, also when batches overlap.
// - The ring holds the terminal event once there is one: an ended log expires, even under viewers that are still far
//   from its end.
// - Nothing changes after the terminal event, except that the log of another row may replace it.
import { type ExecutionEvent, isTerminal, type ResetReason } from '../event/events.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import type { Execution } from '../execution/store.ts';
import type { LogPage } from '../log/log.ts';
import { type ArchivedResult, archivedEnd, archivedResultOf } from './archived-end.ts';
import { EventRing } from './event-ring.ts';

export class LogWindow {
  // The fields that each announcement reads come first: with many executions, loading them from memory is most of what
  // an announcement costs.
  readonly executionId: string;
  /** The log's incarnation; '' while there is no log. */
  epoch = '';
  head = 0;
  /** Seq of the terminal event; 0 while the execution is open. */
  end = 0;
  attempt = 1;
  /** Why this epoch follows another one. */
  resetReason: ResetReason = 'log_lost';
  /** The incarnation of the row that the log belongs to; undefined if it is unknown. */
  incarnation: string | undefined;
  readonly ring = new EventRing();
  /** The result, if the terminal event is all that is left of the log. */
  archivedResult: ArchivedResult | undefined;

  constructor(executionId: string) {
    this.executionId = executionId;
  }

  /** Whether events of an announcement can be appended: none is missing between `head` and them. */
  isContinuedBy(epoch: string, events: readonly ExecutionEvent[]): boolean {
    return epoch === this.epoch && (events[0]?.seq ?? 0) <= this.head + 1;
  }

  /**
   * Appends events, and skips those up to `head`.
   * @param events continue this window
   * @returns how many were new
   */
  append(events: readonly ExecutionEvent[]): number {
    const before = this.head;
    for (const event of events) {
      if (event.seq <= this.head) continue;
      this.ring.push(event);
      this.head = event.seq;
      this.attempt = event.attempt;
      if (isTerminal(event.type)) this.end = event.seq;
    }
    return this.head - before;
  }

  /**
   * Advances to a page of the same epoch whose head is not below this one.
   * @returns how many events were appended; 0 if the page did not hold all that are new
   */
  advance(page: LogPage): number {
    this.attempt = page.attempt;
    this.incarnation = page.incarnation;
    if (page.head === this.head) return 0;
    const isComplete = page.events[0]?.seq === this.head + 1 && page.events.at(-1)?.seq === page.head;
    if (isComplete) return this.append(page.events);
    this.skipTo(page);
    return 0;
  }

  /** Replaces the log: there was none, it is gone, or it is another incarnation than the one known. */
  startEpoch(page: LogPage | undefined): void {
    this.epoch = page?.epoch ?? '';
    this.attempt = page?.attempt ?? this.attempt;
    this.resetReason = page?.resetReason ?? 'log_lost';
    this.incarnation = page?.incarnation;
    this.archivedResult = undefined;
    this.skipTo(page);
  }

  /** Sets `head` to that of a page. Viewers read the events that the ring then lacks from the log. */
  skipTo(page: LogPage | undefined): void {
    this.ring.clear();
    this.head = page?.head ?? 0;
    this.end = page?.end ?? 0;
    if (page?.events.at(-1)?.seq === this.head) for (const event of page.events) this.ring.push(event);
  }

  /**
   * Ends the log with the terminal event of its row, because the log is gone or has lost its end.
   * @param sizes limits of that event
   * @returns false, and changes nothing, if the row has none or this window has ended already
   */
  endWith(row: Execution, sizes?: SizeLimits): boolean {
    const event = archivedEnd(row, sizes);
    if (!event || this.end > 0) return false;
    this.epoch = row.end!.epoch;
    this.head = event.seq;
    this.attempt = event.attempt;
    this.incarnation = row.incarnation;
    this.end = event.seq;
    this.archivedResult = archivedResultOf(row);
    this.ring.clear();
    this.ring.push(event);
    return true;
  }
}
