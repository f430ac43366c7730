// The note that a copy leaves in the log of a workflow: which run the events belong to, and how far they are confirmed.
import { formatNote, parseNote, type WorkflowNote } from '../shared/stream-query.ts';

export interface CopyNote extends WorkflowNote {
  /** The seq up to which the events were compared with the source. */
  readonly confirmed: number;
  /** The seq before the first event of the run, if the numbering is that of its history. */
  readonly base: number;
  /** Whether the workflow has not confirmed the numbering itself. */
  readonly isProvisional: boolean;
}

/** As stored in the log. `isGuess` is the stored name of `isProvisional`. */
interface StoredFields {
  readonly confirmed?: number;
  readonly base?: number;
  readonly isGuess?: boolean;
}

export function formatCopyNote({
  epoch,
  runId,
  runStartedAt,
  confirmed,
  base,
  isProvisional,
}: CopyNote): string {
  const stored: StoredFields = { confirmed, base, isGuess: isProvisional };
  return formatNote({ epoch, runId, runStartedAt }, JSON.stringify(stored));
}

/** Reads a note, which a sink may have written without the fields of a copy; undefined if it is not a workflow's. */
export function parseCopyNote(text: string | undefined): CopyNote | undefined {
  const note = parseNote(text);
  if (!note) return undefined;
  const { confirmed, base, isGuess } = JSON.parse(text!) as StoredFields;
  return {
    ...note,
    confirmed: Number(confirmed) || 0,
    base: Number(base) || 0,
    isProvisional: isGuess === true,
  };
}
