// Whether the log of a workflow continues when a watcher opens it for a run, or starts a new epoch.
import type { ResetReason } from '../../event/events.ts';
import type { LogHead } from '../../log/log.ts';
import { hasOnlyStart, isHistoryEpoch } from '../shared/history-numbering.ts';
import { resetReasonOf } from '../shared/reset-reason.ts';
import type { WorkflowNote } from '../shared/stream-query.ts';
import { parseCopyNote } from './copy-note.ts';

/** A numbering that starts at 1, and the run whose events are copied now. */
export interface Incarnation extends WorkflowNote {
  readonly attempt: number;
  /**
   * The position before the first event of the run, if the numbering is that of its history.
   * @default 0
   */
  readonly base?: number;
}

/** What of a log is the source's. */
export interface Extent {
  /** The position up to which the log holds what the source reported. */
  readonly confirmed: number;
  /** The number of inserted events. */
  readonly inserted: number;
}

/** How to open a log: which epoch of it is void, and what of it is the source's otherwise. */
interface OpenDecision extends Extent {
  readonly lost: { readonly epoch: string; readonly reason: ResetReason } | undefined;
}

/** An epoch of the log that the source contradicts, or that lost events which no source has. */
export interface VoidEpoch {
  readonly epoch: string;
  readonly reason: ResetReason;
}

const NOTHING: Extent = { confirmed: 0, inserted: 0 };

/**
 * Decides whether and how to open a log for an incarnation.
 * @param head the log's head; undefined if there is no log.
 * @param voided an epoch of the log that is void.
 */
export function decideOpen(
  head: Pick<LogHead, 'numbering' | 'end' | 'epoch' | 'head' | 'attempt' | 'note'> | undefined,
  incarnation: Incarnation,
  voided?: VoidEpoch,
): OpenDecision | 'published' | 'ended' | 'superseded' | 'streams' {
  if (!head) return { lost: undefined, ...NOTHING };
  if (head.numbering === 'auto') return 'published';
  if (head.end > 0) return 'ended';
  const note = parseCopyNote(head.note);
  if (note && note.epoch !== incarnation.epoch) {
    const { runId, runStartedAt } = note;
    const isSameRun = runId === incarnation.runId;
    if (runStartedAt > incarnation.runStartedAt) return 'superseded';
    if (isSameRun && isHistoryEpoch(incarnation.epoch) && !isHistoryEpoch(note.epoch)) return 'streams';
    if (head.epoch !== voided?.epoch && hasOnlyStart(head.head, note, incarnation.runId)) {
      return { lost: undefined, ...NOTHING };
    }
    const reason = resetReasonOf({ runId, attempt: head.attempt }, incarnation);
    return { lost: { epoch: head.epoch, reason }, ...NOTHING };
  }
  if (head.epoch === voided?.epoch) return { lost: voided, ...NOTHING };
  const { confirmed, inserted } = note ?? NOTHING;
  return { lost: undefined, confirmed, inserted };
}
