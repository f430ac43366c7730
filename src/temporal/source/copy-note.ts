// The note that a copy leaves in the log of a workflow: which run the events belong to, and how far they are confirmed.
import { numberingFrom } from '../shared/history-numbering.ts';
import { formatNote, parseNote, type WorkflowNote } from '../shared/stream-query.ts';

export interface CopyNote extends WorkflowNote {
  /** The position up to which the events of the source are in the log, and were compared with it. */
  readonly confirmed: number;
  /** The number of events in the log that are not the source's (`FixedCopy.insert`). */
  readonly inserted: number;
  /** The position before the first event of the run, if the numbering is that of its history. */
  readonly base: number;
}

interface StoredFields {
  readonly confirmed?: number;
  readonly inserted?: number;
  readonly base?: number;
  /** Earlier versions began a log with the start alone, before they knew whether the workflow streams itself. */
  readonly isGuess?: boolean;
}

export function formatCopyNote(note: CopyNote): string {
  const { epoch, runId, runStartedAt, confirmed, inserted, base } = note;
  const stored: StoredFields = { confirmed, inserted, base };
  return formatNote({ epoch, runId, runStartedAt }, JSON.stringify(stored));
}

/** Reads a note, which a sink may have written without the fields of a copy; undefined if it is not a workflow's. */
export function parseCopyNote(text: string | undefined): CopyNote | undefined {
  const note = parseNote(text);
  if (!note) return undefined;
  const { confirmed, inserted, base, isGuess } = JSON.parse(text!) as StoredFields;
  return {
    ...note,
    ...(isGuess && { epoch: numberingFrom(note).epoch }),
    confirmed: Number(confirmed) || 0,
    inserted: Number(inserted) || 0,
    base: Number(base) || 0,
  };
}
