// The public face of one run: what a worker says while an agent, a task or a workflow runs.
import type {
  EventData,
  EventType,
  ExecutionKind,
  ExecutionMode,
  FailedStatus,
  OpenStatus,
  Usage,
} from '../event/events.ts';
import type { RedactionCounts } from '../redact/redaction.ts';
import type { RunState } from './run-state.ts';
import type { SimulatedTextOptions } from './simulated-chunks.ts';

/** The types that `emit` takes: all but the ends and what the publisher makes by itself. */
export type EmitType = Exclude<
  EventType,
  'complete' | 'error' | 'reset' | 'gap' | 'llm_chunk' | 'structured_delta'
>;

export interface RunStats {
  /** Events that the log has acknowledged. */
  readonly appended: number;
  /** Events other than text and values that were let go of because the outbox was full. */
  readonly dropped: number;
  /** Events refused because they were too large. */
  readonly rejected: number;
  /** Calls after the run had ended, was abandoned or superseded. */
  readonly late: number;
  /** Bytes that wait for the log. */
  readonly queuedBytes: number;
  /** Secrets that were replaced, by kind; of values, the most that one of them had. */
  readonly redacted: RedactionCounts;
}

/**
 * One run of an execution. Nothing here fails the work or holds it up beyond a bound: a promise of a publishing
 * call resolves when there is room in the outbox, at the latest after `blockMs`, and never rejects because of row or
 * log. Mistakes of the caller are thrown at once, as ExecstreamErrors: `BAD_USER_INPUT`, and `EVENT_TOO_LARGE` for
 * an event above 64 KiB, which the stream then tells by a `warning`. Once the run has ended, calls do nothing.
 */
export interface ExecutionPublisher {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly mode: ExecutionMode;
  readonly state: RunState;
  /** Undefined until the row has been begun, unless it was given. */
  readonly attempt: number | undefined;
  /** Aborts when the execution goes on without this run (`SUPERSEDED`, `ENDED`, …: the reason), so that work may stop. */
  readonly signal: AbortSignal;
  readonly stats: RunStats;
  /** Publishes text byte for byte. An iterable is read to its end; its own error rejects the promise. */
  text(text: string | AsyncIterable<string>): Promise<void>;
  /**
   * Publishes a text that is whole already as if it grew: in pieces of readable size, each an event of its own, at a
   * pace or at once. Byte for byte like `text()`. Stops where the run is over.
   */
  simulateText(text: string, options?: SimulatedTextOptions): Promise<void>;
  /** Publishes a partial or whole value, as the difference to the one before. It may be changed afterwards. */
  value(partial: unknown): Promise<void>;
  toolCall(call: EventData['tool_call']): Promise<void>;
  /** Publishes a status and writes it on the row. */
  status(status: OpenStatus, step?: string): Promise<void>;
  /** Notes what was used so far: the end carries it, and a workflow's stream tells it at once. */
  usage(usage: Usage): Promise<void>;
  warning(code: string, message: string): Promise<void>;
  /** Publishes any other event of the catalogue that may occur in a stream of this kind. */
  emit<T extends EmitType>(type: T, data: EventData[T]): Promise<void>;
  /**
   * Ends the execution with success; by default with the whole text or the last value. Resolves within `endMs`:
   * true once row and log have the end, false where that goes on in the background. Never rejects.
   */
  complete(result?: unknown): Promise<boolean>;
  /** Ends the execution without success; status `FAILED` by default. Resolves as `complete` does. */
  fail(error: unknown, how?: { status?: FailedStatus; code?: string }): Promise<boolean>;
  /** This try failed and another one will follow: a `warning` `ATTEMPT_FAILED`, and no end. */
  abandon(error: unknown): Promise<void>;
}
