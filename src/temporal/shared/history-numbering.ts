// The numbering of events from the history of a run, in contrast to the numbering of a workflow that streams itself.

/** Where the seqs of a run's events start. */
export interface HistoryNumbering {
  /** Names the numbering: the run that it started with. */
  readonly epoch: string;
  /** The seq before the run's first event. */
  readonly base: number;
}

const PREFIX = 'history:';

/** Whether the epoch of a note is that of a history. */
export function isHistoryEpoch(epoch: string): boolean {
  return epoch.startsWith(PREFIX);
}

/** A numbering that starts with this run. */
export function numberingFrom({ runId }: { readonly runId: string }): HistoryNumbering {
  return { epoch: `${PREFIX}${runId}`, base: 0 };
}

/**
 * Whether a log holds no more of a history than the start of this run. A workflow that streams itself emits the same
 * event first, so that its numbering can continue the log.
 * @param note of the log
 */
export function hasOnlyStart(
  head: number,
  note: { readonly epoch: string; readonly runId: string },
  runId: string,
): boolean {
  return head <= 1 && isHistoryEpoch(note.epoch) && note.runId === runId;
}
