// The log of one execution: its ordered, gap-free events. An interface with two implementations (memory.ts, redis/)
// under one contract suite.
//
// Terms: the epoch names one incarnation of a log; a log that was lost and started again has another epoch. The head is
// the seq of the last event, 0 while there is none. An append is one atomic step, together with its announcement to the
// listeners.

import type { Leases } from '../coordination/lease.ts';
import type { LivenessReader, LivenessWriter } from '../coordination/liveness.ts';
import type { ExecutionEvent, NewEvent, ResetReason } from '../event/events.ts';

/** Who gives events their seq: the log (`auto`), or the source, which numbers them 1, 2, 3, … itself (`fixed`). */
export type Numbering = 'auto' | 'fixed';

/** The position and state of a log. */
export interface LogHead {
  readonly epoch: string;
  /** Seq of the last event; 0 while there is none. */
  readonly head: number;
  readonly numbering: Numbering;
  /** The current attempt, from 1. */
  readonly attempt: number;
  /** Seq of the terminal event; 0 while the execution is open. */
  readonly end: number;
  /** Whether a publisher holds the log. A relay does not write to an auto log then. */
  readonly hasPublisher: boolean;
  /** Why this epoch follows another one (`OpenRequest.lost`, `incarnation`); absent if it does not, as far as is known. */
  readonly resetReason?: ResetReason;
  /** The incarnation of the row that the log belongs to (`OpenRequest.incarnation`); absent if it is unknown. */
  readonly incarnation?: string;
  /** The note of the last append that had one (`AppendRequest.note`); absent if there is none. */
  readonly note?: string;
}

/** Opens a log, and creates it if it is missing: for a publisher and its attempt (`auto`), or a source (`fixed`). */
export interface OpenRequest {
  readonly numbering: Numbering;
  /**
   * Auto only: names the publisher. An open by another publisher is `superseded`, unless it has a newer attempt or
   * the holder has appended nothing yet; then the holder is superseded instead.
   */
  readonly publisher?: string;
  /** From 1. A newer attempt takes over an auto log; one that holds events gets a `reset` (`attempt`). */
  readonly attempt: number;
  /**
   * Auto only: the cursor up to which a server has read the log, in order to append the missing end of an execution.
   * If that is the log's last event, the server takes the log over; if not, or without a log, it is `superseded`.
   */
  readonly takeoverCursor?: string;
  /** The relay's fencing token; see AppendRequest. A relay's open of a log that a publisher holds is `superseded`. */
  readonly fence?: number;
  /**
   * Set by a writer that found its log lost: the epoch and the last acknowledged seq that it knew. If the log is
   * complete after all (this epoch, a head not below `acknowledged`), nothing happens. Otherwise the log is dropped
   * and a new epoch starts, in an auto log with a `reset` as its first event. `reason` is the reason of this reset, and of
   * those that viewers of other epochs get; `log_lost` by default. A source whose events contradict the log passes
   * `acknowledged: Infinity`, which starts a new epoch wherever the log still has this one. A server that has read more of
   * an auto log than is left of it names neither publisher nor fence: the new epoch then belongs to the current holder.
   */
  readonly lost?: { readonly epoch: string; readonly acknowledged: number; readonly reason?: ResetReason };
  /**
   * The incarnation of the execution's row. A log that belongs to another one is that of a row that was deleted or
   * replaced: it is dropped, also if it has ended, and a new epoch starts, whose reason is `run`; in an auto log with a
   * `reset` as its first event. A request with
   * `lost` or `takeoverCursor` is `superseded` instead: its writer may belong to the deleted row. A server that has only
   * read the row names neither publisher nor fence: the log then stays with its holder, and a new one has none.
   */
  readonly incarnation?: string;
}

export type OpenResult =
  /**
   * `isNewEpoch`: the log has another epoch than its writer knew. This call started it or, if the request has
   * `lost`, an earlier call did, such as the same one when its reply was lost.
   */
  | { readonly outcome: 'opened'; readonly head: LogHead; readonly isNewEpoch: boolean }
  | { readonly outcome: 'superseded'; readonly attempt: number }
  | { readonly outcome: 'ended'; readonly head: LogHead }
  | { readonly outcome: 'fenced' }
  | { readonly outcome: 'wrong-numbering'; readonly numbering: Numbering };

export interface AppendRequest {
  /** The epoch that the writer knows. */
  readonly epoch: string;
  /** The last seq that was acknowledged to this writer, 0 at first. In an auto log, a head below it means data loss. */
  readonly acknowledged: number;
  /** The publisher that holds the log; absent for a relay, and for a server that appends only the missing end. */
  readonly publisher?: string;
  /**
   * The relay's fencing token. The log rejects a token older than the newest one it has seen (`fenced`), and a relay's
   * append to an auto log that a publisher holds (`superseded`).
   */
  readonly fence?: number;
  /** The attempt that the events belong to. Default: the log's current one. */
  readonly attempt?: number;
  /**
   * Names this batch, so that a batch that is resent because its reply was lost is appended once and gets the same
   * result. A log remembers its last 256 batches. Without white space.
   */
  readonly batch?: string;
  /**
   * A hash of the batch's contents, in letters and digits. The same name with another digest is `batch-reused`.
   * Without a digest, nothing is compared.
   */
  readonly batchDigest?: string;
  /**
   * What the next relay needs to continue after these events, up to 1 KiB. It is stored in the same step as the
   * events and replaces the previous note; an append without a note keeps that.
   */
  readonly note?: string;
  /**
   * One or more events, up to 256 KiB in total. Events of a fixed log carry consecutive seqs of the source. A terminal
   * event comes last. Violations reject with `BAD_USER_INPUT`, except of the size, which the caller has to keep.
   */
  readonly events: readonly (NewEvent & { readonly seq?: number })[];
}

export type AppendResult =
  /** The log holds all of the events, including those that a fixed log held before. */
  | { readonly outcome: 'appended'; readonly head: number }
  /** The log is gone, is shorter than the acknowledged part, or has another epoch: open it again. */
  | { readonly outcome: 'lost' }
  | { readonly outcome: 'ended'; readonly end: number }
  | { readonly outcome: 'superseded'; readonly attempt: number }
  | { readonly outcome: 'fenced' }
  /** Fixed: the log holds another event at this seq (compared without `ts`; trimmed events count as equal). */
  | { readonly outcome: 'conflict'; readonly seq: number }
  /** Fixed: the seq of the first event is above head + 1. */
  | { readonly outcome: 'gap'; readonly head: number }
  /** The log has the other numbering. */
  | { readonly outcome: 'wrong-numbering'; readonly numbering: Numbering }
  /** A batch of this name with other contents was appended before. */
  | { readonly outcome: 'batch-reused' };

/** A batch that the log remembers. */
export interface KnownBatch {
  /** The head that its append returned. */
  readonly head: number;
  /** The digest of its append; absent if there was none. */
  readonly digest?: string;
}

/** A slice of a log, and its head at the moment of reading. */
export interface LogPage extends LogHead {
  /** In order, from the first available event after the requested seq. */
  readonly events: readonly ExecutionEvent[];
}

/** The events of one append. */
export interface Announcement {
  readonly epoch: string;
  readonly events: readonly ExecutionEvent[];
}

/** Its methods are called one after the other, in the order of the log; they must not throw. */
export interface LogListener {
  onAnnouncement(announcement: Announcement): void;
  /** Announcements may have been missed (the connection was lost and is back): read the log. */
  onInterruption(): void;
}

/** Stops listening. */
export type Unlisten = () => Promise<void>;

/** Appends to logs. Every method rejects with `SOURCE_UNAVAILABLE` if the log does not respond within its timeout. */
export interface LogWriter {
  open(executionId: string, request: OpenRequest): Promise<OpenResult>;
  append(executionId: string, request: AppendRequest): Promise<AppendResult>;
  /** Reads the head; undefined if there is no log. */
  head(executionId: string): Promise<LogHead | undefined>;
}

/** Reads logs. Every method rejects with `SOURCE_UNAVAILABLE` if the log does not respond within its timeout. */
export interface LogReader {
  /** Returns what the log remembers of a batch; undefined if it does not know the name. */
  findBatch(executionId: string, batch: string): Promise<KnownBatch | undefined>;
  /** Reads up to `limit` events after a seq; undefined if there is no log. */
  read(executionId: string, after: number, limit: number): Promise<LogPage | undefined>;
  /** Reads the head; undefined if there is no log. */
  head(executionId: string): Promise<LogHead | undefined>;
  /** Resolves when the listener is certain to receive every append that starts from now on. */
  listen(executionId: string, listener: LogListener): Promise<Unlisten>;
}

/** What a server needs of Redis or memory, from one place: logs, publisher liveness and leases. */
export interface EventLog
  extends LogWriter,
    LogReader,
    LivenessWriter,
    LivenessReader,
    Leases,
    AsyncDisposable {
  /** Rejects with `SOURCE_UNAVAILABLE` and the reason if logs cannot be read, listened to or appended to. */
  ping(): Promise<void>;
  /** `await using` calls this. */
  close(): Promise<void>;
}

/** How much of a log is kept. */
export interface LogBounds {
  /**
   * Events of one log.
   * @default 50000
   */
  readonly maxEvents: number;
  /**
   * Bytes of one log, as JSON envelopes.
   * @default 33554432 (32 MiB)
   */
  readonly maxBytes: number;
  /**
   * How long a log is kept after its terminal event, in ms.
   * @default 3600000 (1 h)
   */
  readonly keepEndedMs: number;
}

export const DEFAULT_BOUNDS: LogBounds = {
  maxEvents: 50_000,
  maxBytes: 32 * 1024 * 1024,
  keepEndedMs: 60 * 60 * 1000,
};

/** How many batches a log remembers. */
export const BATCHES_REMEMBERED = 256;

/** Bytes of the events of one append, as JSON envelopes. */
export const MAX_BATCH_BYTES = 256 * 1024;
