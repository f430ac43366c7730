// The public API of one run: what a worker calls while an agent, a task or a workflow runs.

import type { ExecstreamError } from '../event/errors.ts';
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
  /** Calls that were rejected, and warnings about values that are too large. */
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
 * there is room in the outbox, after `blockMs` at the latest, and never rejects. It resolves to whether something was
 * published: false for what cannot be (an unknown field, a value that is not JSON, an event that does not fit into half a
 * message, 28 KiB by default, which viewers see as a `warning`), which the log names and `stats.rejected` counts, and for
 * a call after the run has ended, which `stats.late` counts. With `createPublisher({ strict: true })`, what cannot be
 * published is thrown synchronously as an ExecstreamError: `BAD_USER_INPUT` or `EVENT_TOO_LARGE`. A value that is too
 * large is an exception: see `value()`.
 */
export interface ExecutionPublisher {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly mode: ExecutionMode;
  readonly state: RunState;
  /**
   * Why the run publishes nothing (more): the execution could not begin, or has ended, or belongs to another attempt.
   * Undefined while the run is open, and after its own end.
   */
  readonly error: ExecstreamError | undefined;
  /** Undefined until the row has begun, unless the caller chose it. */
  readonly attempt: number | undefined;
  /**
   * Aborts when the work is no longer needed, because the execution has ended or another attempt or publisher has it.
   * The reason is an ExecstreamError (`SUPERSEDED`, `ENDED`, …).
   */
  readonly signal: AbortSignal;
  readonly stats: RunStats;
  /**
   * Publishes text byte for byte. An iterable is read to its end; its error, which is one of the work, rejects the promise.
   * It has to throw if its source fails, which the `textStream` of the AI SDK does not: publish the streams of models with
   * their adapters.
   */
  text(text: string | AsyncIterable<string>): Promise<boolean>;
  /**
   * Publishes a complete text as if it were being generated: in chunks of readable size, each a separate event. The
   * text is published byte for byte, as by `text()`. Stops when the run is no longer open.
   */
  simulateText(text: string, options?: SimulatedTextOptions): Promise<boolean>;
  /**
   * Publishes a partial or complete value, as the difference to the previous one. It may be changed afterwards. A string
   * above 256 UTF-16 code units that grows is sent when it has grown by half, or after `growthDelayMs`. A part that is
   * too large for viewers leads to one `warning`, and is still in the result.
   */
  value(partial: unknown): Promise<boolean>;
  /**
   * Publishes a tool call. `args` and `result` that do not fit into a message are omitted: viewers receive `argsOmitted`
   * and `argsBytes`, or `resultOmitted` and `resultBytes`, in their place.
   */
  toolCall(call: EventData['tool_call']): Promise<boolean>;
  /** Publishes a status and writes it to the row. */
  status(status: OpenStatus, step?: string): Promise<boolean>;
  /**
   * Records the usage so far. The end carries it, and the stream of a workflow publishes it immediately.
   * @param usage in the protocol's shape, or as the SDK of a model reports it (`prompt_tokens`, `input_tokens`,
   *   `promptTokens` and the like); usage without any known count
   *   or with a count that is not an integer from 0 to 2^53 - 1 changes nothing
   */
  usage(usage: Usage | ReportedUsage): Promise<boolean>;
  warning(code: string, message: string): Promise<boolean>;
  /** Publishes any other event of the catalogue that may occur in a stream of this kind. */
  emit<T extends EmitType>(type: T, data: EventData[T]): Promise<boolean>;
  /**
   * Sends everything published so far, within `closeMs`: before a serverless function returns, because a frozen process sends
   * nothing. Text that may be the beginning of a secret, or half of a character, stays until more follows. Never rejects.
   * @returns whether the log has it
   */
  flush(): Promise<boolean>;
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
