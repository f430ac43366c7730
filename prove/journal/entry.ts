// The lines of a journal: what its publisher was told, written before anybody else hears of it.

/** Times are in ms since 1970. */
export type Entry = { readonly id: string; readonly at: number } & (
  | { readonly is: 'begin'; readonly attempt: number }
  /** The log is open: it stood at `head` then. */
  | { readonly is: 'open'; readonly epoch: string; readonly head: number; readonly attempt: number }
  /** Acknowledged: hashes of events from seq `from` on; null where the server made the event's data. */
  | {
      readonly is: 'ack';
      readonly epoch: string;
      readonly from: number;
      readonly events: readonly (string | null)[];
      readonly overflows?: number;
    }
  /** What the execution is about to end with: the hash of its text or value. */
  | { readonly is: 'final'; readonly attempt: number; readonly digest: string }
  /** The end was acknowledged. */
  | { readonly is: 'end'; readonly attempt: number }
);

/** An entry without what every entry has. */
export type NewEntry = Entry extends infer E ? (E extends Entry ? Omit<E, 'at'> : never) : never;
