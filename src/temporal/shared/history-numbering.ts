// The numbering of events from the history of a run, in contrast to the numbering of a workflow that streams itself.

/** Where the positions of a run's events start. */
export interface HistoryNumbering {
  /** Names the numbering: the run that it started with. */
  readonly epoch: string;
  /** The position before the run's first event. */
  readonly base: number;
}

const PREFIX = 'history:';

/**
 * Which events of a history are shown, and how. A log that was numbered by another version is compared with the history
 * from its start: it continues if it is a prefix, otherwise a new epoch starts. Increase it with every change of the
 * mapping (source/history-events.ts), because a server would continue the numbers of another version in the wrong place.
 * Since version 3, a log may have events that are not the history's.
 */
const MAPPING_VERSION = 4;

/** How a note stores the epoch of a numbering. */
export type StoredEpoch = string | readonly [epoch: string, mappingVersion: number];

/**
 * The epoch of a history is not a plain string in notes: versions before the first of these ignore it, and compare the
 * log.
 */
export function storeEpoch(epoch: string): StoredEpoch {
  return isHistoryEpoch(epoch) ? [epoch, MAPPING_VERSION] : epoch;
}

/** Reads an epoch from a note; undefined for another mapping of a history, and for anything else. */
export function readEpoch(stored: unknown): string | undefined {
  if (Array.isArray(stored)) return stored[1] === MAPPING_VERSION ? String(stored[0]) : undefined;
  return typeof stored === 'string' && !isHistoryEpoch(stored) ? stored : undefined;
}

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
