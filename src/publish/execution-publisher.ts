// The public API of one run: what a worker calls while an agent, a task or a workflow runs.
import type {
  EventData,
  EventType,
  ExecutionKind,
  ExecutionMode,
  FailedStatus,
  OpenStatus,
  Usage,
} from '../event/events.ts';
import type { ReportedUsage } from '../event/usage.ts';
import type { RedactionCounts } from '../redact/redaction.ts';
import type { RunState } from './run-state.ts';
import type { SimulatedTextOptions } from './simulated-chunks.ts';

/** The event types that `emit` takes: all except ends, content, and what the publisher or a server creates. */
export type EmitType = Exclude<
  EventType,
  'complete' | 'error' | 'reset' | 'gap' | 'llm_chunk' | 'structured_delta'
>;

export interface RunStats {
  /** Events that the log has acknowledged. */
  readonly appended: number;
  /** Events other than text and values that were dropped because the outbox was full. */
  readonly dropped: number;
  /** Events that were rejected because they were too large, and warnings about values that are. */
  readonly rejected: number;
  /** Calls after the run had ended, or was abandoned or superseded. */
  readonly late: number;
  /** Bytes that wait for the log. */
  readonly queuedBytes: number;
  /** Replaced secrets, by kind. For values, the highest count of a single value. */
  readonly redacted: RedactionCounts;
}

/**
 * One run of an execution.
 *
 * Publishing never fails the work, and delays it by a limited time: the promise of a publishing call resolves when
 * there is room in the outbox, after `blockMs` at the latest, and never rejects because of the row or the log. Mistakes
 * of the caller are thrown synchronously as ExecstreamErrors: `BAD_USER_INPUT`, and `EVENT_TOO_LARGE` for an event
 * that does not fit into half a message (28 KiB by default), which viewers see as a `warning`. A value is an exception:
 * see `value()`. After the run has ended, calls have no effect.
 */
export interface ExecutionPublisher {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly mode: ExecutionMode;
  readonly state: RunState;
  /** Undefined until the row has begun, unless the caller chose it. */
  readonly attempt: number | undefined;
  /**
   * Aborts when the work is no longer needed, because the execution has ended or another attempt or publisher has it.
   * The reason is an ExecstreamError (`SUPERSEDED`, `ENDED`, …).
   */
  readonly signal: AbortSignal;
  readonly stats: RunStats;
  /**
   * Publishes text byte for byte. An iterable is read to its end; its error rejects the promise. It has to throw if its
   * source fails, which the `textStream` of the AI SDK does not: publish the streams of models with their adapters.
   */
  text(text: string | AsyncIterable<string>): Promise<void>;
  /**
   * Publishes a complete text as if it were being generated: in chunks of readable size, each a separate event. The
   * text is published byte for byte, as by `text()`. Stops when the run is no longer open.
   */
  simulateText(text: string, options?: SimulatedTextOptions): Promise<void>;
  /**
   * Publishes a partial or complete value, as the difference to the previous one. It may be changed afterwards. A string
   * above 256 UTF-16 code units that grows is sent when it has grown by half, or after `growthDelayMs`. A part that is
   * too large for viewers leads to one `warning`, and is still in the result.
   */
  value(partial: unknown): Promise<void>;
  /**
   * Publishes a tool call. `args` and `result` that do not fit into a message are omitted: viewers receive `argsOmitted`
   * and `argsBytes`, or `resultOmitted` and `resultBytes`, in their place.
   */
  toolCall(call: EventData['tool_call']): Promise<void>;
  /** Publishes a status and writes it to the row. */
  status(status: OpenStatus, step?: string): Promise<void>;
  /**
   * Records the usage so far. The end carries it, and the stream of a workflow publishes it immediately.
   * @param usage in the protocol's shape, or as the SDK of a model reports it (`prompt_tokens`, `input_tokens`,
   *   `promptTokens` and the like); usage without any known count changes nothing
   * @throws ExecstreamError `BAD_USER_INPUT` for a count that is not an integer from 0 to 2^53 - 1
   */
  usage(usage: Usage | ReportedUsage): Promise<void>;
  warning(code: string, message: string): Promise<void>;
  /** Publishes any other event of the catalogue that may occur in a stream of this kind. */
  emit<T extends EmitType>(type: T, data: EventData[T]): Promise<void>;
  /**
   * Ends the execution successfully. Resolves within `endMs`: true if the row and the log have the end, false if it is
   * retried in the background or belongs to another process. Never rejects.
   * @param result by default the complete text or the last value
   */
  complete(result?: unknown): Promise<boolean>;
  /**
   * Ends the execution with an error. Resolves as `complete()` does.
   * @param error whatever was thrown. The message includes its causes, and that of an object is taken from its fields.
   * @param how `status`, by default `FAILED`; `code`, by default the `code` of the error
   */
  fail(error: unknown, how?: { status?: FailedStatus; code?: string }): Promise<boolean>;
  /** Gives up this attempt because another one will follow: publishes a `warning` `ATTEMPT_FAILED`, and no end. */
  abandon(error: unknown): Promise<void>;
}
