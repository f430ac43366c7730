// In what order, and for how long: the log of one execution, as an interface with two implementations
// (memory.ts, redis/) under one contract suite.
//
// Terms. A log is the ordered, gap-free events of one execution. Its epoch names one incarnation: a log that was
// lost and began again has another. Its head is the seq of its last event, 0 while there is none. An append is
// one atomic step together with its announcement to whoever listens.

import type { Leases } from '../coordination/lease.ts';
import type { LivenessReader, LivenessWriter } from '../coordination/liveness.ts';
import type { ExecutionEvent, NewEvent } from '../event/events.ts';

/** Who gives events their seq: the log itself, or the source (which numbers them 1, 2, 3, … of its own). */
export type Numbering = 'auto' | 'fixed';

/** Where a log stands. */
export interface LogHead {
  readonly epoch: string;
  /** Seq of the last event; 0 while there is none. */
  readonly head: number;
  readonly numbering: Numbering;
  /** The current attempt, from 1. */
  readonly attempt: number;
  /** Seq of the terminal event; 0 while the execution is open. */
  readonly end: number;
  /** Whether a publisher holds the log. A relay has no business there then. */
  readonly hasPublisher: boolean;
  /** What a relay noted with its last append; absent where none did. */
  readonly note?: string;
}

/** Takes a log, making it where it is missing: for one publisher and attempt (`auto`), or for a source (`fixed`). */
export interface OpenRequest {
  readonly numbering: Numbering;
  /**
   * Auto only: names the publisher. An open by another publisher is `superseded`, unless it brings a newer attempt
   * or the holder has appended nothing yet; then the holder is the one that is superseded.
   */
  readonly publisher?: string;
  /** From 1. A newer attempt takes an auto log over; where it holds events, it gets a `reset` (`attempt`). */
  readonly attempt: number;
  /**
   * Auto only: the cursor up to which a server has read the log, to tell the rest of an execution that has ended. It
   * takes the log from its holder if that is where the log still stands, and is `superseded` if not, or if it is gone.
   */
  readonly takeoverCursor?: string;
  /** The relay's fencing token; see AppendRequest. A relay's open of a log that a publisher holds is `superseded`. */
  readonly fence?: number;
  /**
   * Set by a writer that found its log lost: what it knew of it. Where the log is there and whole after all (this
   * epoch, head not below `acknowledged`), nothing happens; else the log is dropped and a new epoch begins. Its
   * first event in an auto log is `reset` (`log_lost`). A source that met a `conflict` passes `acknowledged:
   * Infinity`, which always begins a new epoch where the log's is still this one. A server that has seen more of an
   * auto log than is left of it names neither publisher nor fence: the log is then begun anew for its holder.
   */
  readonly lost?: { readonly epoch: string; readonly acknowledged: number };
}

export type OpenResult =
  /**
   * `isNewEpoch`: the log is in another epoch than its writer knew: this call began one, or, where the request said
   * `lost`, an earlier one did (such as the same call, whose answer was lost).
   */
  | { readonly outcome: 'opened'; readonly head: LogHead; readonly isNewEpoch: boolean }
  | { readonly outcome: 'superseded'; readonly attempt: number }
  | { readonly outcome: 'ended'; readonly head: LogHead }
  | { readonly outcome: 'fenced' }
  | { readonly outcome: 'wrong-numbering'; readonly numbering: Numbering };

export interface AppendRequest {
  /** The incarnation that the writer believes in. */
  readonly epoch: string;
  /** The last seq that was acknowledged to this writer, 0 at first. A head below it is a lost log (auto only). */
  readonly acknowledged: number;
  /** The publisher that holds the log; absent for a source's relay and for a server that tells the end alone. */
  readonly publisher?: string;
  /**
   * The relay's fencing token; the log refuses one that is older than it has seen, and, as `superseded`, a relay in
   * an auto log that a publisher holds.
   */
  readonly fence?: number;
  /** The attempt that the events belong to; the log's current one by default. */
  readonly attempt?: number;
  /**
   * Names this batch, so that one sent twice, because its answer was lost, is appended once and answered alike. A
   * log remembers its last 256 batches. Without white space.
   */
  readonly batch?: string;
  /**
   * What the batch contains, as a hash in letters and digits. The same name with another digest is `batch-reused`.
   * Without one, nothing is compared.
   */
  readonly batchDigest?: string;
  /**
   * What the next relay must know to go on behind these events, at most 1 KiB. It is kept in the same step as they
   * are, and in place of the note before; an append without one leaves that.
   */
  readonly note?: string;
  /**
   * At least one event; at most 256 KiB in all. Events of a fixed log carry the source's seqs, consecutive ones. A
   * terminal event stands last. Anything else rejects with `BAD_USER_INPUT`; the size is the caller's to keep.
   */
  readonly events: readonly (NewEvent & { readonly seq?: number })[];
}

export type AppendResult =
  /** All events stand in the log (those of a fixed log that stood there before included). */
  | { readonly outcome: 'appended'; readonly head: number }
  /** The log is gone, is shorter than what was acknowledged, or is another incarnation: open it again. */
  | { readonly outcome: 'lost' }
  | { readonly outcome: 'ended'; readonly end: number }
  | { readonly outcome: 'superseded'; readonly attempt: number }
  | { readonly outcome: 'fenced' }
  /** Fixed: another event stands at this seq (compared without `ts`; one that was trimmed passes as the same). */
  | { readonly outcome: 'conflict'; readonly seq: number }
  /** Fixed: the first event lies above head + 1. */
  | { readonly outcome: 'gap'; readonly head: number }
  /** The log is numbered the other way. */
  | { readonly outcome: 'wrong-numbering'; readonly numbering: Numbering }
  /** A batch of this name, with other contents, was appended before. */
  | { readonly outcome: 'batch-reused' };

/** A batch that the log remembers. */
export interface KnownBatch {
  /** The head that its append returned. */
  readonly head: number;
  /** As given with the append; absent where none was. */
  readonly digest?: string;
}

/** A stretch of a log and where the log stood when it was read. */
export interface LogPage extends LogHead {
  /** In order, from the first that is still there after the asked-for seq. */
  readonly events: readonly ExecutionEvent[];
}

/** What one append announced. */
export interface Announcement {
  readonly epoch: string;
  readonly events: readonly ExecutionEvent[];
}

/** Called one after the other, in the order of the log; must not throw. */
export interface LogListener {
  onAnnouncement(announcement: Announcement): void;
  /** Announcements may have been missed (the connection was lost and is back): read the log. */
  onInterruption(): void;
}

/** Stops listening. */
export type Unlisten = () => Promise<void>;

/** Errors: every method rejects with `SOURCE_UNAVAILABLE` where the log does not answer within its bound. */
export interface LogWriter extends LivenessWriter {
  open(executionId: string, request: OpenRequest): Promise<OpenResult>;
  append(executionId: string, request: AppendRequest): Promise<AppendResult>;
  /** Where the log stands; undefined where there is none. */
  head(executionId: string): Promise<LogHead | undefined>;
}

export interface LogReader extends LivenessReader {
  /** What the log remembers of a batch of this name; undefined where that is nothing. */
  findBatch(executionId: string, batch: string): Promise<KnownBatch | undefined>;
  /** Reads up to `limit` events after a seq; undefined where there is no log. */
  read(executionId: string, after: number, limit: number): Promise<LogPage | undefined>;
  head(executionId: string): Promise<LogHead | undefined>;
  /** Resolves when the listener is certain to hear of every append that starts from now on. */
  listen(executionId: string, listener: LogListener): Promise<Unlisten>;
}

export interface EventLog extends LogWriter, LogReader, Leases {
  /** Whether the log can be read, listened to and appended: rejects with `SOURCE_UNAVAILABLE`, saying what cannot. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** How much of a log is kept. */
export interface LogBounds {
  /** Events kept of one log. */
  readonly maxEvents: number;
  /** Bytes kept of one log, envelopes as JSON. */
  readonly maxBytes: number;
  /** How long a log outlives its terminal event. */
  readonly keepEndedMs: number;
}

export const DEFAULT_BOUNDS: LogBounds = {
  maxEvents: 50_000,
  maxBytes: 32 * 1024 * 1024,
  keepEndedMs: 60 * 60 * 1000,
};

/** Batches whose names a log remembers. */
export const BATCHES_REMEMBERED = 256;

/** Bytes of events in one append, envelopes as JSON. */
export const MAX_BATCH_BYTES = 256 * 1024;
