// The note that a copy leaves in the log of a workflow: which run the events belong to, and how far they are confirmed.
import { numberingFrom } from '../shared/history-numbering.ts';
import { formatNote, parseNote, type WorkflowNote } from '../shared/stream-query.ts';

export interface CopyNote extends WorkflowNote {
  /** The seq up to which the events were compared with the source. */
  readonly confirmed: number;
  /** The seq before the first event of the run, if the numbering is that of its history. */
  readonly base: number;
}

interface StoredFields {
  readonly confirmed?: number;
  readonly base?: number;
  /** Earlier versions began a log with the start alone, before they knew whether the workflow streams itself. */
  readonly isGuess?: boolean;
}

export function formatCopyNote({ epoch, runId, runStartedAt, confirmed, base }: CopyNote): string {
  const stored: StoredFields = { confirmed, base };
  return formatNote({ epoch, runId, runStartedAt }, JSON.stringify(stored));
}

/** Reads a note, which a sink may have written without the fields of a copy; undefined if it is not a workflow's. */
export function parseCopyNote(text: string | undefined): CopyNote | undefined {
  const note = parseNote(text);
  if (!note) return undefined;
  const { confirmed, base, isGuess } = JSON.parse(text!) as StoredFields;
  return {
    ...note,
    ...(isGuess && { epoch: numberingFrom(note).epoch }),
    confirmed: Number(confirmed) || 0,
    base: Number(base) || 0,
  };
}
