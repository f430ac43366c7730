// The events that a viewer received, and the problems found in them.

/** One event as a viewer received it. */
export interface Seen {
  readonly epoch: string;
  readonly seq: number;
  readonly type: string;
  readonly data: Record<string, unknown>;
  /** Present if the transport sends it (GraphQL does). */
  readonly executionId?: string;
  /** When it arrived, in ms since 1970. */
  readonly at: number;
}

export interface Finding {
  readonly what: 'lost' | 'doubled' | 'disordered' | 'wronglyRead';
  readonly count: number;
  /** For a person: the seqs and the problem. */
  readonly detail: string;
}

export interface SeenReset {
  readonly reason: string;
  readonly at: number;
  /**
   * Whether it is an event of the log, written by a publisher, and not one that a server generated for this viewer.
   */
  readonly isLogged: boolean;
}

export interface SeenGap {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly at: number;
}

/** The interface of a viewer for judge.ts. */
export interface Sequence {
  take(event: Seen): void;
  /** The server has reported that nothing will follow: 204, or GraphQL's `complete`. */
  reportEnd(): void;
  readonly executionId: string;
  /** Distinct events of the log that were delivered. */
  readonly delivered: number;
  readonly epoch: string | undefined;
  readonly last: number;
  /** The events delivered since the last reset: hashes by seq. */
  readonly observed: ReadonlyMap<number, string>;
  readonly terminal: Seen | undefined;
  readonly isEndReported: boolean;
  readonly digest: string;
  readonly resets: readonly SeenReset[];
  readonly gaps: readonly SeenGap[];
  /** The problems that can be detected without the journal. */
  findings(): Finding[];
}
