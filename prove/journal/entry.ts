// The lines of a journal: the acknowledgements of a publisher, written before any other part sees them.

/** Times are in ms since 1970. */
export type Entry = { readonly id: string; readonly at: number } & (
  | { readonly is: 'begin'; readonly attempt: number }
  /** The log is open; `head` is its head at that time. */
  | { readonly is: 'open'; readonly epoch: string; readonly head: number; readonly attempt: number }
  /** Acknowledged: hashes of the events from seq `from`; null if the server generated the data. */
  | {
      readonly is: 'ack';
      readonly epoch: string;
      readonly from: number;
      readonly events: readonly (string | null)[];
      readonly overflows?: number;
    }
  /** The result with which the execution is about to end: the hash of its text or value. */
  | { readonly is: 'final'; readonly attempt: number; readonly digest: string }
  /** The terminal event was acknowledged. */
  | { readonly is: 'end'; readonly attempt: number }
);

/** An entry without the time that the writer adds. */
export type NewEntry = Entry extends infer E ? (E extends Entry ? Omit<E, 'at'> : never) : never;
