// Copies events that the source numbers into the log of one workflow, under one fencing token.
//
// The source numbers its events 1, 2, 3, …: their positions. The seq of an event in the log is its position plus the number
// of events that were inserted before it: those that no source can report again (`insert`).
//
// Invariants
// 1. It opens the log with its token first: later appends with an older token are rejected.
// 2. A log holds one epoch of a workflow's numbering, which its note names. For another one, or for an event that
//    contradicts the log, the log starts a new epoch and all events are copied again. Another order of fields, or fields
//    that another size limit omits, are no contradiction (stored-form.ts). Only a log with nothing but the start of a
//    history continues with the numbering of the workflow itself, which starts with the same event.
// 3. `confirmed` never exceeds what the source reported and the log accepted: events that a sink appended are compared
//    before they count.
// 4. Inserted events exist in the log alone. If the log lost one of them, it starts a new epoch: a seq would name another
//    event otherwise. The note is stored together with each event, so that the next watcher knows how many there are.
// 5. After a call with an unknown outcome the copy is discarded; the next one takes a new token (see 1).
import type { NewEvent } from '../../event/events.ts';
import { isOtherRow } from '../../execution/incarnation.ts';
import { splitIntoBatches } from '../../log/append-batch.ts';
import type { LogReader, LogWriter } from '../../log/log.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';
import { formatCopyNote, parseCopyNote } from './copy-note.ts';
import { decideOpen, type Extent, type Incarnation, type VoidEpoch } from './open-decision.ts';
import { inStoredForm } from './stored-form.ts';

/**
 * - `done`
 * - `retry`: `confirmed` changed; copy again what follows it
 * - `superseded`: the log belongs to a run that started later, or to another row
 * - `streams`: the log of a history has events of the workflow itself by now
 * - `ended`: the log has its terminal event
 * - `published`: the log belongs to a publisher
 * - `fenced`: another watcher holds a newer token
 */
export type FixedCopyOutcome = 'done' | 'retry' | 'superseded' | 'streams' | 'ended' | 'published' | 'fenced';

type OpenOutcome = Exclude<FixedCopyOutcome, 'retry'>;

export interface FixedCopy extends Extent {
  /** The numbering of the log; '' before `enter`. */
  readonly numbering: string;
  /** The seq up to which the log has events of this epoch, as far as is known. */
  readonly head: number;
  /** The last seq that was sent to the log in this epoch, including an append in flight. */
  readonly sent: number;
  /** The log's epoch; '' before `enter`. */
  readonly epoch: string;
  /** Opens the log for this incarnation. */
  enter(incarnation: Incarnation): Promise<OpenOutcome>;
  /**
   * Appends events of the source, whose `seq` is their position; the first one follows the events of the source in the log,
   * or is one of them. Call `enter` first.
   */
  append(events: readonly WorkflowEvent[]): Promise<FixedCopyOutcome>;
  /**
   * Appends events that are not the source's, after all others. Call it when everything in the log is confirmed, and not
   * during an `append`.
   */
  insert(events: readonly NewEvent[]): Promise<FixedCopyOutcome>;
  /** Notes that the log has events of this epoch up to a seq, which another writer appended. */
  recordHead(seq: number): void;
}

export interface FixedCopyOptions {
  readonly log: LogWriter & Pick<LogReader, 'read'>;
  readonly executionId: string;
  readonly fence: number;
  /**
   * The incarnation of the execution's row.
   * @default unknown: the log may belong to any row
   */
  readonly incarnation?: string | undefined;
}

const MAX_BATCH_EVENTS = 500;

/** An open log: what it holds, and for whom. */
interface Position extends Extent {
  readonly incarnation: Incarnation;
  readonly epoch: string;
  readonly head: number;
  readonly sent: number;
}

export function createFixedCopy(options: FixedCopyOptions): FixedCopy {
  const { log, executionId, fence, incarnation: rowIncarnation } = options;
  let position: Position | undefined;

  /** @param voided an epoch of the log that is void. */
  async function openLog(incarnation: Incarnation, voided?: VoidEpoch): Promise<OpenOutcome> {
    const head = await log.head(executionId);
    // Only a caller that has just read the row may replace the log of another one.
    if (head && isOtherRow(head, { incarnation: rowIncarnation })) return 'superseded';
    const decision = decideOpen(head, incarnation, voided);
    if (typeof decision === 'string') return decision;
    const { lost } = decision;
    const opened = await log.open(executionId, {
      numbering: 'fixed',
      attempt: Math.max(incarnation.attempt, head?.attempt ?? 1),
      fence,
      ...(lost && { lost: { ...lost, acknowledged: Number.POSITIVE_INFINITY } }),
      ...(rowIncarnation !== undefined && { incarnation: rowIncarnation }),
    });
    if (opened.outcome === 'fenced' || opened.outcome === 'ended') return opened.outcome;
    if (opened.outcome !== 'opened') return 'published';
    const { epoch, head: lastSeq } = opened.head;
    const isSame = epoch === head?.epoch;
    const inserted = isSame ? decision.inserted : 0;
    const confirmed = isSame ? Math.min(decision.confirmed, lastSeq - inserted) : 0;
    position = { incarnation, epoch, head: lastSeq, confirmed, inserted, sent: 0 };
    return 'done';
  }

  /**
   * @param batch with their seqs in the log
   * @param after what of the log is the source's once it has the events
   * @param isStored whether the events have the form in which the log has them.
   */
  async function appendBatch(
    at: Position,
    batch: readonly WorkflowEvent[],
    after: Extent,
    isStored = false,
  ): Promise<FixedCopyOutcome> {
    const { incarnation, epoch } = at;
    const { base = 0 } = incarnation;
    const last = batch.at(-1)!.seq;
    position = { ...at, sent: last };
    const result = await log.append(executionId, {
      epoch,
      acknowledged: 0,
      fence,
      events: batch,
      note: formatCopyNote({ ...incarnation, ...after, base }),
    });
    switch (result.outcome) {
      case 'appended':
        position = { ...position, head: Math.max(position.head, result.head), ...after };
        return 'done';
      case 'gap':
        return shrink(at, result.head);
      case 'conflict': {
        const stored = isStored ? undefined : await inStoredForm(log, executionId, epoch, batch);
        return stored
          ? appendBatch(at, stored, after, true)
          : restart(incarnation, { epoch, reason: 'source' });
      }
      case 'lost':
        return restart(incarnation, { epoch, reason: 'source' });
      case 'fenced':
      case 'ended':
        return result.outcome;
      default:
        return 'published';
    }
  }

  /** The log lost its last events. The source reports its own again. */
  async function shrink(at: Position, head: number): Promise<FixedCopyOutcome> {
    const { incarnation, epoch, inserted } = at;
    if (inserted > 0) {
      const note = parseCopyNote((await log.head(executionId))?.note);
      if (note?.inserted !== inserted) return restart(incarnation, { epoch, reason: 'log_lost' });
    }
    position = { ...at, head, confirmed: Math.min(at.confirmed, head - inserted) };
    return 'retry';
  }

  /** Opens the log for all events again. */
  async function restart(incarnation: Incarnation, voided: VoidEpoch): Promise<FixedCopyOutcome> {
    const opened = await openLog(incarnation, voided);
    return opened === 'done' ? 'retry' : opened;
  }

  return {
    get numbering() {
      return position?.incarnation.epoch ?? '';
    },
    get confirmed() {
      return position?.confirmed ?? 0;
    },
    get inserted() {
      return position?.inserted ?? 0;
    },
    get head() {
      return position?.head ?? 0;
    },
    get sent() {
      return position?.sent ?? 0;
    },
    get epoch() {
      return position?.epoch ?? '';
    },
    async enter(incarnation) {
      if (position?.incarnation.epoch !== incarnation.epoch) return openLog(incarnation);
      // The next run in the same numbering; the next append notes it.
      position = { ...position, incarnation };
      return 'done';
    },
    async append(events) {
      const { confirmed, inserted } = position!;
      const missing = events.filter(({ seq }) => seq > confirmed);
      position = { ...position!, sent: confirmed + inserted };
      for (const batch of splitIntoBatches(missing, ({ data }) => data, MAX_BATCH_EVENTS)) {
        const numbered = batch.map((event) => ({ ...event, seq: event.seq + inserted }));
        const outcome = await appendBatch(position!, numbered, { confirmed: batch.at(-1)!.seq, inserted });
        if (outcome !== 'done') return outcome;
      }
      return 'done';
    },
    async insert(events) {
      for (const batch of splitIntoBatches(events, ({ data }) => data, MAX_BATCH_EVENTS)) {
        const { confirmed, inserted } = position!;
        const first = confirmed + inserted + 1;
        const numbered = batch.map((event, i) => ({ ...event, seq: first + i }));
        const outcome = await appendBatch(position!, numbered, {
          confirmed,
          inserted: inserted + batch.length,
        });
        if (outcome !== 'done') return outcome;
      }
      return 'done';
    },
    recordHead(seq) {
      if (position) position = { ...position, head: Math.max(position.head, seq) };
    },
  };
}
