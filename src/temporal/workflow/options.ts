// The public interface of a workflow's stream: its options, and the methods that workflow code calls.
import type { Workflow } from '@temporalio/workflow';
import type {
  EventData,
  EventType,
  ExecutionKind,
  FailedStatus,
  OpenStatus,
  Usage,
} from '../../event/events.ts';
import type { ReportedUsage } from '../../event/usage.ts';
import type { CarriedStream } from './carry-over.ts';
import type { EventBufferLimits } from './event-buffer.ts';

/** The event types that a workflow may emit: those of its stream, except terminal and server-generated ones. */
export type WorkflowEventType = Exclude<
  EventType,
  'complete' | 'error' | 'reset' | 'gap' | 'llm_chunk' | 'structured_delta'
>;

/**
 * Options of a stream. `maxEvents` and `maxBytes` limit the events that are kept for the query.
 * @default maxEvents 2000
 * @default maxBytes 1048576 (1 MiB)
 */
export interface StreamStateOptions extends Partial<EventBufferLimits> {
  /**
   * The execution whose stream this is, or a function of a workflow id, which also names the parent workflow. For a
   * workflow of another namespace than the server's default one: `(workflowId) => 'billing:' + workflowId`.
   * @default the workflow's id
   */
  readonly executionId?: string | ((workflowId: string) => string);
  /**
   * The execution that this one belongs to.
   * @default the execution of the parent workflow, if there is one
   */
  readonly parentId?: string;
  /** The state that the previous run carried over; the stream then continues. */
  readonly carried?: CarriedStream | undefined;
  /**
   * Bytes of events in one query result. Temporal rejects results above 2 MB.
   * @default 262144 (256 KiB)
   */
  readonly pageBytes?: number;
  /**
   * How much of the stream continue-as-new carries over.
   * @default 200 events and 131072 bytes (128 KiB)
   */
  readonly carry?: Partial<EventBufferLimits>;
  /**
   * Whether events are also sent to the worker's sink.
   * @default whether the worker uses our plugin
   */
  readonly live?: boolean;
}

/** An agent or a task that a workflow runs, as its events name it. */
export type Child =
  | {
      readonly kind: 'agent';
      readonly agentId: string;
      readonly action?: string;
      readonly executionId?: string;
    }
  | { readonly kind: 'task'; readonly taskId: string; readonly executionId?: string };

/** The arguments of a workflow, or of the function passed to `streamed` (without the stream). */
export type ArgumentsOf<F extends Workflow> = F extends (stream: StreamState, ...rest: infer A) => unknown
  ? A
  : Parameters<F>;

/**
 * A workflow's stream. Its methods never fail the workflow: an event that is larger than 28 KiB or not JSON is replaced
 * by a `warning`. Arguments and results of tools may be larger, and are omitted if they do not fit into a message
 * (`argsOmitted`, `resultOmitted`). Events after the terminal event are ignored. Do not call it in a query handler, which Temporal does
 * not replay.
 *
 * @example
 *   export const digest = streamed(async (stream, topic: string) => {
 *     stream.status('RUNNING', 'writing');
 *     return stream.child({ kind: 'agent', agentId: 'writer' }, (id) => write(id, topic));
 *   });
 */
export interface StreamState {
  readonly executionId: string;
  /** Whether the terminal event was emitted. */
  readonly hasEnded: boolean;
  /** Emits any non-terminal event of a workflow's stream. */
  emit<T extends WorkflowEventType>(type: T, data: EventData[T]): void;
  status(status: OpenStatus, step?: string): void;
  /**
   * Reports the usage so far: emitted as a status event, and repeated in the terminal event. It may have the shape in
   * which the SDK of a model reports it.
   */
  usage(usage: Usage | ReportedUsage): void;
  toolCall(call: EventData['tool_call']): void;
  warning(code: string, message: string): void;
  /**
   * Runs an agent or a task between the events of its start and its end.
   * @param run receives the child's execution id (unique, and the same on replay), to pass to the activity that
   *   publishes the child with `publishActivity`.
   * @returns the promise that `run` returned: code that awaits it continues exactly when it would without the stream, so
   *   that histories from before it was added still replay. A child that fails is reported, and does not fail the
   *   workflow unless something awaits the promise.
   * @throws what `run` throws.
   */
  child<T>(child: Child, run: (executionId: string) => Promise<T>): Promise<T>;
  /**
   * A new execution id for a child of this workflow; the same on replay. It does not draw from the random numbers of the
   * workflow (`Math.random()`, `uuid4()`).
   */
  childId(kind: Exclude<ExecutionKind, 'workflow'>, name: string): string;
  /** The state to carry over, for a direct call of Temporal's `continueAsNew`: it must be the last argument. */
  carryOver(): CarriedStream;
  /** Continues as new with these arguments and carries the stream over. */
  continueAsNew<F extends Workflow>(...args: ArgumentsOf<F>): Promise<never>;
  /** Emits `complete`. `streamed` does so; otherwise call it right before the workflow returns. */
  complete(result?: unknown): void;
  /** Emits `error`. `streamed` does so; otherwise call it right before the workflow throws. */
  fail(error: unknown, status?: FailedStatus): void;
}
