// The calls to Temporal that watching needs, as an interface; grpc-client.ts implements it.
import type { Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { WorkflowRunSummary } from '../../execution/workflow-runs.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import type { Payload } from '../shared/payloads.ts';
import type { CodecSettings } from './remote-codec.ts';

export interface TemporalSettings {
  /** `host:port`. */
  readonly address: string;
  /** The namespace of workflows for which `resolve` names none. */
  readonly namespace: string;
  readonly tls?: NonNullable<Parameters<typeof Connection.lazy>[0]>['tls'];
  readonly apiKey?: string;
  /** Sent with every call. */
  readonly metadata?: Record<string, string>;
  /**
   * Decodes the results of our query.
   * @default Temporal's default converter
   */
  readonly dataConverter?: DataConverter;
  /**
   * A codec server, which decodes the results of our query, the messages of failures, and inputs and results if they are
   * shown.
   * @default none
   */
  readonly codec?: CodecSettings;
}

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
}

/** An activity that failed and will be retried. */
export interface PendingRetry {
  /** As in the events from the history. */
  readonly taskId: string;
  /** The attempt that is scheduled or running. */
  readonly attempt: number;
  /** The failure of the attempt before. */
  readonly message: string;
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

/** Every method rejects with a TemporalError. */
export interface TemporalClient {
  readonly address: string;
  readonly namespace: string;
  readonly dataConverter: DataConverter | undefined;
  describe(ref: WorkflowRef): Promise<WorkflowRun>;
  /** Up to `limit` runs that match a query. */
  list(request: VisibilityRequest): Promise<readonly VisibleRun[]>;
  /** The activities of an open run that are being retried. */
  retries(run: WorkflowRef): Promise<readonly PendingRetry[]>;
  history(request: HistoryRequest, signal?: AbortSignal): Promise<HistoryPage>;
  /** Whether a worker polls the run's task queue, or did within the last minute. */
  hasWorker(run: WorkflowRun): Promise<boolean>;
  /** Queries the workflow for its events after a seq. The result is not validated. */
  query(run: WorkflowRef, since: number, signal?: AbortSignal): Promise<unknown>;
  /** Decodes payloads with the codec, if there is one. */
  decode(namespace: string, payloads: readonly Payload[]): Promise<readonly Payload[]>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
