// Rows that were deleted and inserted again under the same id.

interface Incarnate {
  /** Absent or null: unknown. */
  readonly incarnation?: string | null | undefined;
}

/** Whether two descriptions of a row, or of a row and its log, are known to be of different insertions. */
export function isOtherRow({ incarnation: a }: Incarnate, { incarnation: b }: Incarnate): boolean {
  return (a ?? b ?? undefined) !== (b ?? a ?? undefined);
}
