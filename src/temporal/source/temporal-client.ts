// The calls to Temporal that watching needs, as an interface; grpc-client.ts implements it.
import type { ExecutionStatus, OpenStatus } from '../../event/events.ts';
import type { WorkflowRunSummary } from '../../execution/workflow-runs.ts';
import type { Failure } from '../shared/failure.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import type { Payload } from '../shared/payloads.ts';
import type { RequestMetrics } from './request-metrics.ts';
import type { RequestPriority } from './request-priority.ts';

export interface WorkflowRef {
  readonly namespace: string;
  readonly workflowId: string;
  /**
   * The run.
   * @default the current run
   */
  readonly runId?: string;
}

/** One run of a workflow. */
export interface WorkflowRun extends WorkflowRef {
  readonly runId: string;
  /** The first run of the chain; a reset keeps it. */
  readonly firstRunId: string;
  /** The run that continued as this one, by continue-as-new. */
  readonly continues?: string | undefined;
  readonly workflowType: string;
  /** The task queue of its workflow tasks. */
  readonly taskQueue: string;
  /** The workflow id of the parent, if that is in the same namespace. */
  readonly parentId: string | undefined;
  /** What the user who started it wrote for display. */
  readonly summary?: string | undefined;
  /** From 1; counts the retries of the workflow itself. */
  readonly attempt: number;
  /** In ms since 1970. */
  readonly startedAt: number;
  readonly isOpen: boolean;
  /** That of its run alone, which has succeeded if another one continues it. */
  readonly status: ExecutionStatus;
  /** In ms since 1970; undefined while it is open. */
  readonly closedAt: number | undefined;
  /** The number of events in the history. */
  readonly historyLength: number;
}

export interface HistoryPage {
  readonly events: readonly HistoryEvent[];
  /** The token of the next page; undefined at the end of a closed run's history. */
  readonly next: Uint8Array | undefined;
}

export interface HistoryRequest {
  readonly run: WorkflowRef;
  /**
   * The token of the page to read.
   * @default the first page
   */
  readonly from?: Uint8Array | undefined;
  /** Whether to read the close event alone. */
  readonly isCloseOnly?: boolean;
  /** Whether to wait for new events (long poll). The server ends the request after about 20 s. */
  readonly isWaiting?: boolean;
  /** The maximum number of events. */
  readonly limit?: number;
  /** @default `watch` for a long poll, otherwise `view` */
  readonly priority?: RequestPriority;
}

export interface QueryOptions {
  /** @default 'poll' */
  readonly priority?: RequestPriority;
  /** Aborts a query that has not been sent yet. */
  readonly queueSignal?: AbortSignal;
  /** Is called when the query is sent: it may have to wait for its turn. */
  readonly onSent?: () => void;
}

/** An activity that has not ended, or a Nexus operation that has not started, as `describe` reports it. */
export interface PendingTask {
  /** As in the events from the history. */
  readonly taskId: string;
  /**
   * - `PENDING`: a worker may start the attempt
   * - `RUNNING`: a worker has started it
   * - `WAITING`: it is scheduled for later
   * - `PAUSED`: it will not be scheduled until someone resumes the task
   */
  readonly status: OpenStatus;
  /** From 1. */
  readonly attempt: number;
  /** When a waiting attempt will be scheduled, in ms since 1970. */
  readonly nextAttemptAt: number | undefined;
  /** Why the attempt before failed. */
  readonly failure: Failure | undefined;
  /** What else is known of the status, in words for people: why it is paused, for example. */
  readonly note: string | undefined;
  /** The details of the last heartbeat, which are not decoded. */
  readonly details: readonly Payload[];
  /** When the last heartbeat arrived, in ms since 1970; 0 if none has. */
  readonly heartbeatAt: number;
}

/** A poll of a Workflow Stream: the workflow writes its items from an offset on into its history. */
export interface StreamPoll {
  readonly from: number;
  /** A poll with the id of another one is the same poll. */
  readonly updateId: string;
}

/** A request for runs of workflows, newest first. */
export interface VisibilityRequest {
  readonly namespace: string;
  /** A list filter, in Temporal's SQL-like language. */
  readonly query: string;
  /** The maximum number of runs. */
  readonly limit: number;
}

/** A run as Temporal's visibility has it, which may be a moment old. */
export interface VisibleRun extends WorkflowRunSummary {
  readonly workflowId: string;
}

/** Every method rejects with a TemporalError. The default priority of a request is `view`. */
export interface TemporalClient {
  /** The namespace of workflows for which `resolve` names none. */
  readonly namespace: string;
  /** Counts of the requests. */
  readonly metrics?: RequestMetrics;
  describe(ref: WorkflowRef, priority?: RequestPriority): Promise<WorkflowRun>;
  /** Up to `limit` runs that match a query. */
  list(request: VisibilityRequest): Promise<readonly VisibleRun[]>;
  /** The tasks of an open run that are in flight. Messages of failures may be encoded. */
  pendingTasks(run: WorkflowRef, signal?: AbortSignal): Promise<readonly PendingTask[]>;
  history(request: HistoryRequest, signal?: AbortSignal): Promise<HistoryPage>;
  /** Whether a worker polls the run's task queue, or did within the last minute. The response may be a second old. */
  hasWorker(run: WorkflowRun, priority?: RequestPriority): Promise<boolean>;
  /** Whether workers of the run's task queue have responded to a query of this process within a time, in ms. */
  hasResponded(run: WorkflowRun, withinMs: number): boolean;
  /**
   * The open runs of these workflows, by workflow id, from Temporal's visibility: a change may be missing for some
   * seconds. Workflows that are paused are left out.
   * @param workflowIds without quotes and backslashes
   */
  openRuns(namespace: string, workflowIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Queries the workflow for its events after a seq. The result is not validated. When the signal aborts, a query that
   * was sent is not cancelled: its worker would log a warning for a response that nobody takes.
   */
  query(
    run: WorkflowRef & { readonly taskQueue?: string },
    since: number,
    signal?: AbortSignal,
    options?: QueryOptions,
  ): Promise<unknown>;
  /** Queries the workflow for the number of items of its Workflow Stream. */
  streamOffset(run: WorkflowRun, signal?: AbortSignal): Promise<number>;
  /** Polls its Workflow Stream; whether it accepted the poll. The result is in its history. */
  pollStream(run: WorkflowRef, poll: StreamPoll, signal?: AbortSignal): Promise<boolean>;
  /** Decodes payloads with the codec, if there is one. */
  decode(namespace: string, payloads: readonly Payload[]): Promise<readonly Payload[]>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
