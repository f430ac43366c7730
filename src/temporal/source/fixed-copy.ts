// Copies events that the source numbers into the log of one workflow, under one fencing token.
//
// Invariants
// 1. It opens the log with its token first: later appends with an older token are rejected.
// 2. A log holds one epoch of a workflow's numbering, which its note names. For another one, or for an event that
//    contradicts the log, the log starts a new epoch and all events are copied again. Another order of fields, or fields
//    that another size limit omits, are no contradiction (stored-form.ts). Only a log with nothing but the start of a
//    history continues with the numbering of the workflow itself, which starts with the same event.
// 3. `confirmed` never exceeds what the source reported and the log accepted: events that a sink appended are compared
//    before they count.
// 4. After a call with an unknown outcome the copy is discarded; the next one takes a new token (see 1).
import type { ResetReason } from '../../event/events.ts';
import { isOtherRow } from '../../execution/incarnation.ts';
import { splitIntoBatches } from '../../log/append-batch.ts';
import type { LogHead, LogReader, LogWriter } from '../../log/log.ts';
import { hasOnlyStart, isHistoryEpoch } from '../shared/history-numbering.ts';
import { resetReasonOf } from '../shared/reset-reason.ts';
import type { WorkflowEvent, WorkflowNote } from '../shared/stream-query.ts';
import { formatCopyNote, parseCopyNote } from './copy-note.ts';
import { inStoredForm } from './stored-form.ts';

/** A numbering that starts at 1, and the run whose events are copied now. */
export interface Incarnation extends WorkflowNote {
  readonly attempt: number;
  /**
   * The seq before the first event of the run, if the numbering is that of its history.
   * @default 0
   */
  readonly base?: number;
}

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

export interface FixedCopy {
  /** The numbering of the log; '' before `enter`. */
  readonly numbering: string;
  /** The seq up to which the log holds what the source reported. */
  readonly confirmed: number;
  /** The seq up to which the log has events of this epoch, as far as is known. */
  readonly head: number;
  /** The last seq that was sent to the log in this epoch, including an append in flight. */
  readonly sent: number;
  /** The log's epoch; '' before `enter`. */
  readonly epoch: string;
  /** Opens the log for this incarnation. */
  enter(incarnation: Incarnation): Promise<OpenOutcome>;
  /** Appends events, the first of which has a seq of up to `head + 1`. Call `enter` first. */
  append(events: readonly WorkflowEvent[]): Promise<FixedCopyOutcome>;
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
interface Position {
  readonly incarnation: Incarnation;
  readonly epoch: string;
  readonly head: number;
  readonly confirmed: number;
  readonly sent: number;
}

export function createFixedCopy(options: FixedCopyOptions): FixedCopy {
  const { log, executionId, fence, incarnation: rowIncarnation } = options;
  let position: Position | undefined;

  /** @param voidEpoch an epoch of the log that the source contradicts. */
  async function openLog(incarnation: Incarnation, voidEpoch: string | undefined): Promise<OpenOutcome> {
    const head = await log.head(executionId);
    // Only a caller that has just read the row may replace the log of another one.
    if (head && isOtherRow(head, { incarnation: rowIncarnation })) return 'superseded';
    const decision = decideOpen(head, incarnation, voidEpoch);
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
    const confirmed = epoch === head?.epoch ? Math.min(decision.confirmed, lastSeq) : 0;
    position = { incarnation, epoch, head: lastSeq, confirmed, sent: 0 };
    return 'done';
  }

  /** @param isStored whether the events have the form in which the log has them. */
  async function appendBatch(
    at: Position,
    batch: readonly WorkflowEvent[],
    isStored = false,
  ): Promise<FixedCopyOutcome> {
    const { incarnation, epoch } = at;
    const { base = 0 } = incarnation;
    const last = batch.at(-1)!.seq;
    const result = await log.append(executionId, {
      epoch,
      acknowledged: 0,
      fence,
      events: batch,
      note: formatCopyNote({ ...incarnation, confirmed: last, base }),
    });
    switch (result.outcome) {
      case 'appended':
        position = { ...at, head: Math.max(at.head, result.head), confirmed: last };
        return 'done';
      case 'gap':
        // The log lost its last events.
        position = { ...at, head: result.head, confirmed: Math.min(at.confirmed, result.head) };
        return 'retry';
      case 'conflict': {
        const stored = isStored ? undefined : await inStoredForm(log, executionId, epoch, batch);
        return stored ? appendBatch(at, stored, true) : restart(incarnation, epoch);
      }
      case 'lost':
        return restart(incarnation, epoch);
      case 'fenced':
      case 'ended':
        return result.outcome;
      default:
        return 'published';
    }
  }

  /** Opens the log for all events again. */
  async function restart(incarnation: Incarnation, voidEpoch: string): Promise<FixedCopyOutcome> {
    const opened = await openLog(incarnation, voidEpoch);
    return opened === 'done' ? 'retry' : opened;
  }

  return {
    get numbering() {
      return position?.incarnation.epoch ?? '';
    },
    get confirmed() {
      return position?.confirmed ?? 0;
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
      if (position?.incarnation.epoch !== incarnation.epoch) return openLog(incarnation, undefined);
      // The next run in the same numbering; the next append notes it.
      position = { ...position, incarnation };
      return 'done';
    },
    async append(events) {
      const { confirmed } = position!;
      const missing = events.filter(({ seq }) => seq > confirmed);
      position = { ...position!, sent: Math.max(confirmed, missing.at(-1)?.seq ?? 0) };
      for (const batch of splitIntoBatches(missing, ({ data }) => data, MAX_BATCH_EVENTS)) {
        const outcome = await appendBatch(position, batch);
        if (outcome !== 'done') return outcome;
      }
      return 'done';
    },
    recordHead(seq) {
      if (position) position = { ...position, head: Math.max(position.head, seq) };
    },
  };
}

/** How to open a log: which epoch of it is void, and what of it is confirmed otherwise. */
interface OpenDecision {
  readonly lost: { readonly epoch: string; readonly reason: ResetReason } | undefined;
  readonly confirmed: number;
}

/**
 * Decides whether and how to open a log for an incarnation.
 * @param head the log's head; undefined if there is no log.
 * @param voidEpoch an epoch of the log that the source contradicts.
 */
export function decideOpen(
  head: Pick<LogHead, 'numbering' | 'end' | 'epoch' | 'head' | 'attempt' | 'note'> | undefined,
  incarnation: Incarnation,
  voidEpoch: string | undefined,
): OpenDecision | Extract<FixedCopyOutcome, 'published' | 'ended' | 'superseded' | 'streams'> {
  if (!head) return { lost: undefined, confirmed: 0 };
  if (head.numbering === 'auto') return 'published';
  if (head.end > 0) return 'ended';
  const note = parseCopyNote(head.note);
  if (note && note.epoch !== incarnation.epoch) {
    const { runId, runStartedAt } = note;
    const isSameRun = runId === incarnation.runId;
    if (runStartedAt > incarnation.runStartedAt) return 'superseded';
    if (isSameRun && isHistoryEpoch(incarnation.epoch) && !isHistoryEpoch(note.epoch)) return 'streams';
    if (head.epoch !== voidEpoch && hasOnlyStart(head.head, note, incarnation.runId)) {
      return { lost: undefined, confirmed: 0 };
    }
    const reason = resetReasonOf({ runId, attempt: head.attempt }, incarnation);
    return { lost: { epoch: head.epoch, reason }, confirmed: 0 };
  }
  if (head.epoch === voidEpoch) return { lost: { epoch: head.epoch, reason: 'source' }, confirmed: 0 };
  return { lost: undefined, confirmed: note?.confirmed ?? 0 };
}
