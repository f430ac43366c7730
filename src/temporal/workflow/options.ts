// The public face of a workflow's stream: what workflow code may set, and what it says while it runs.
import type { Workflow } from '@temporalio/workflow';
import type {
  EventData,
  EventType,
  ExecutionKind,
  FailedStatus,
  OpenStatus,
  Usage,
} from '../../event/events.ts';
import type { CarriedStream } from './carry-over.ts';
import type { EventBufferLimits } from './event-buffer.ts';

/** The types that a workflow may emit: those of its stream, but the ends and what servers make. */
export type WorkflowEventType = Exclude<
  EventType,
  'complete' | 'error' | 'reset' | 'gap' | 'llm_chunk' | 'structured_delta'
>;

export interface StreamStateOptions extends Partial<EventBufferLimits> {
  /** Under which execution the stream is watched; by default the workflow's id. */
  readonly executionId?: string;
  /** The execution that this one belongs to; by default the parent workflow's id, where there is one. */
  readonly parentId?: string;
  /** What the run before handed over; the stream then goes on. */
  readonly carried?: CarriedStream | undefined;
  /** Bytes of events in one answer of the query; default 256 KiB. The server refuses answers above 2 MB. */
  readonly pageBytes?: number;
  /** How much of the stream continue-as-new hands over; default 200 events, 128 KiB. */
  readonly carry?: Partial<EventBufferLimits>;
  /** Whether events go to the worker's sink too; by default where the worker's plugin says that there is one. */
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

/** The arguments of a workflow; also of the function inside `streamed`, which has its name in there. */
export type ArgumentsOf<F extends Workflow> = F extends (stream: StreamState, ...rest: infer A) => unknown
  ? A
  : Parameters<F>;

/**
 * A workflow's stream. Nothing here fails the workflow: an event that is too large (64 KiB) or no JSON is told as a
 * `warning` in its place. What comes after the end is ignored. Not to be called in a query handler, which Temporal
 * does not replay.
 */
export interface StreamState {
  readonly executionId: string;
  /** Whether the terminal event was emitted. */
  readonly hasEnded: boolean;
  /** Emits any event of a workflow's stream. */
  emit<T extends WorkflowEventType>(type: T, data: EventData[T]): void;
  status(status: OpenStatus, step?: string): void;
  /** What was used so far: told at once, and again by the end. */
  usage(usage: Usage): void;
  toolCall(call: EventData['tool_call']): void;
  warning(code: string, message: string): void;
  /**
   * Runs an agent or a task between the events of its start and its end.
   * @param run is given the child's execution id, for the activity that publishes it (`publishActivity`): unique,
   *   and the same on replay.
   * @returns what `run` returns, and throws what it throws.
   */
  child<T>(child: Child, run: (executionId: string) => Promise<T>): Promise<T>;
  /** A new execution id for a child of this workflow. */
  childId(kind: Exclude<ExecutionKind, 'workflow'>, name: string): string;
  /** The state to hand over, where `continueAsNew` of Temporal's is called by hand: it must be the last argument. */
  carryOver(): CarriedStream;
  /** Continues as new with these arguments, and the stream with it. */
  continueAsNew<F extends Workflow>(...args: ArgumentsOf<F>): Promise<never>;
  /** Emits the end; to be called where `streamed` does not do it, right before the workflow returns. */
  complete(result?: unknown): void;
  fail(error: unknown, status?: FailedStatus): void;
}
