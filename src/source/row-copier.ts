// One relay's work on one execution, under one fencing token: copies states of the row into the log, in batches.
//
// Invariants
// 1. It begins by opening the log with its token. From then on the log rejects appends with an older token, and the
//    log's note is complete.
// 2. Each batch is appended together with a note of the progress after it, in one atomic step. So no event is appended
//    twice or left out, whichever relay continues after a crash.
// 3. After a call whose outcome is unknown it is not used again: its successor takes a new token (see 1).
// 4. It opens the log for the incarnation of the row. If the row is replaced by another one under the same id, it opens
//    the log again, which starts a new epoch, and copies that row from its first state.
// 5. The order of an end is that of lifecycle/end-execution.ts: the row has ended before the terminal event is
//    appended, and the event's position is stored on the row last.
import { isFinal } from '../event/events.ts';
import { deletedEvent } from '../event/terminal-event.ts';
import { isOtherRow } from '../execution/incarnation.ts';
import type { Execution, ExecutionStore } from '../execution/store.ts';
import type { Position } from '../lifecycle/end-execution.ts';
import { splitIntoBatches } from '../log/append-batch.ts';
import type { LogHead, LogWriter, OpenRequest } from '../log/log.ts';
import { type ContentEvents, createRowEvents, type RowEvents, type RowProgress } from './row-diff.ts';

export interface RowCopierOptions {
  readonly log: LogWriter;
  readonly store: Pick<ExecutionStore, 'statesAfter' | 'markEnd'>;
  readonly content: ContentEvents;
  readonly executionId: string;
  readonly fence: number;
}

export type RowCopyOutcome =
  /** The log is up to date with the row. */
  | 'current'
  /** The row has more states. */
  | 'behind'
  /** The log has its terminal event, and the row the position of it. */
  | 'ended'
  /** The log belongs to a publisher or another source. */
  | 'published'
  /** Another relay has a newer token. */
  | 'fenced'
  /** There is no row: it was deleted. */
  | 'absent';

/** Why a step stops before the last state: for an end, the position of the terminal event. */
type Stop = { readonly end: Position } | Exclude<RowCopyOutcome, 'current' | 'ended'>;

/** States per read. */
const PAGE = 100;

export interface RowCopier {
  /**
   * Copies the states since the last step.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the log or the store is unavailable; create another copier then
   */
  step(): Promise<RowCopyOutcome>;
  /**
   * Ends the log of a row that was deleted.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the log is unavailable; create another copier then
   */
  endDeleted(): Promise<RowCopyOutcome>;
}

export function createRowCopier({ log, store, content, executionId, fence }: RowCopierOptions): RowCopier {
  let position: { readonly epoch: string; seq: number; attempt: number } | undefined;
  let rowEvents: RowEvents | undefined;
  /** The last state that was read: of which row, and when it started. */
  let known: Partial<Pick<Execution, 'incarnation' | 'startedAt'>> = {};

  async function open(attempt: number, lost?: OpenRequest['lost']): Promise<Stop | undefined> {
    const { incarnation } = known;
    const row = incarnation === undefined ? {} : { incarnation };
    const opened = await log.open(executionId, {
      numbering: 'auto',
      ...{ attempt, fence, ...row, ...(lost && { lost }) },
    });
    if (opened.outcome === 'fenced') return 'fenced';
    if (opened.outcome === 'ended') return { end: { epoch: opened.head.epoch, seq: opened.head.end } };
    if (opened.outcome !== 'opened') return 'published';
    const { epoch, head, attempt: current } = opened.head;
    if (!rowEvents || position?.epoch !== epoch)
      rowEvents = createRowEvents(content, progressOf(opened.head));
    position = { epoch, seq: head, attempt: current };
    return undefined;
  }

  async function begin(): Promise<Stop | undefined> {
    const head = await log.head(executionId);
    const [first] = (await store.statesAfter(executionId, 0, 1)) ?? [];
    if (!first) return 'absent';
    known = first;
    return open(head && !isOtherRow(head, first) ? head.attempt : first.attempt);
  }

  async function copyState(row: Execution): Promise<Stop | undefined> {
    if (isOtherRow(row, known)) {
      known = row;
      const stop = await open(row.attempt);
      if (stop) return stop;
    }
    known = row;
    // A newer attempt has begun, and the log is open for it: this state is void.
    if (row.attempt < position!.attempt) return undefined;
    if (row.attempt > position!.attempt) {
      const stop = await open(row.attempt);
      if (stop) return stop;
    }
    for (const batch of splitIntoBatches(rowEvents!.eventsFor(row), ({ event }) => event.data)) {
      const { epoch, seq: acknowledged } = position!;
      const note = JSON.stringify(batch.at(-1)!.progress);
      const events = batch.map(({ event }) => event);
      const result = await log.append(executionId, { epoch, acknowledged, fence, note, events });
      if (result.outcome === 'lost') {
        // The row is copied again from its first state, unless the note of the restarted log has more.
        rowEvents = undefined;
        return (await open(row.attempt, { epoch, acknowledged })) ?? 'behind';
      }
      if (result.outcome === 'fenced') return 'fenced';
      if (result.outcome === 'ended') return { end: { epoch, seq: result.end } };
      if (result.outcome !== 'appended') return 'published';
      position!.seq = result.head;
    }
    return isFinal(row.status) ? { end: { epoch: position!.epoch, seq: position!.seq } } : undefined;
  }

  async function copyStates(): Promise<Stop | undefined> {
    const notBegun = position ? undefined : await begin();
    if (notBegun) return notBegun;
    const states = await store.statesAfter(executionId, rowEvents!.revision, PAGE, known.incarnation);
    if (!states) return 'absent';
    for (const row of states) {
      const stop = await copyState(row);
      if (stop) return stop;
    }
    return states.length < PAGE ? undefined : 'behind';
  }

  return {
    async step() {
      const stop = await copyStates();
      if (typeof stop !== 'object') return stop ?? 'current';
      await store.markEnd(executionId, stop.end);
      return 'ended';
    },
    async endDeleted() {
      const head = await log.head(executionId);
      const stop = position ? undefined : await open(head?.attempt ?? 1);
      if (stop) return typeof stop === 'object' ? 'ended' : stop;
      const { epoch, seq: acknowledged } = position!;
      const events = [deletedEvent(known.startedAt)];
      const { outcome } = await log.append(executionId, { epoch, acknowledged, fence, events });
      if (outcome === 'appended' || outcome === 'ended') return 'ended';
      return outcome === 'fenced' ? 'fenced' : 'published';
    },
  };
}

function progressOf({ note }: LogHead): RowProgress | undefined {
  return note === undefined ? undefined : (JSON.parse(note) as RowProgress);
}
