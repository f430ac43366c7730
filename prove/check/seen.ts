// What a viewer got, and what is found wrong with it.

/** One event as a viewer got it. */
export interface Seen {
  readonly epoch: string;
  readonly seq: number;
  readonly type: string;
  readonly data: Record<string, unknown>;
  /** Where the transport says it (GraphQL does). */
  readonly executionId?: string;
  /** When it came, in ms. */
  readonly at: number;
}

export interface Finding {
  readonly what: 'lost' | 'doubled' | 'disordered' | 'wronglyRead';
  readonly count: number;
  /** For a person: which seqs, and how. */
  readonly detail: string;
}

export interface SeenReset {
  readonly reason: string;
  readonly at: number;
  /** Whether it is an event of the log (the publisher's side wrote it) and not made by a server for this viewer. */
  readonly isLogged: boolean;
}

export interface SeenGap {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly at: number;
}

/** What judge.ts asks for. */
export interface Sequence {
  take(event: Seen): void;
  /** The server says that nothing will follow: 204, or GraphQL's `complete`. */
  tellEnd(): void;
  readonly executionId: string;
  /** Events of the log that were delivered, each once. */
  readonly delivered: number;
  readonly epoch: string | undefined;
  readonly last: number;
  /** What was delivered since the last reset: hashes by seq. */
  readonly observed: ReadonlyMap<number, string>;
  readonly terminal: Seen | undefined;
  readonly isEndTold: boolean;
  readonly digest: string;
  readonly resets: readonly SeenReset[];
  readonly gaps: readonly SeenGap[];
  /** What is wrong whatever the journal says. */
  findings(): Finding[];
}
