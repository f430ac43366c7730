// What watching asks of Temporal: the settings of a connection, the calls, and what they answer.
import type { Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';

export type HistoryEvent = temporal.api.history.v1.HistoryEvent.$Properties;

export interface TemporalSettings {
  /** `host:port`. */
  readonly address: string;
  /** The namespace of workflows whose resolution names none. */
  readonly namespace: string;
  readonly tls?: NonNullable<Parameters<typeof Connection.lazy>[0]>['tls'];
  readonly apiKey?: string;
  /** Sent with every call. */
  readonly metadata?: Record<string, string>;
  /** Decodes the answers of our query, and results of workflows that use it; Temporal's default otherwise. */
  readonly dataConverter?: DataConverter;
}

export interface WorkflowRef {
  readonly namespace: string;
  readonly workflowId: string;
  /** The current run where absent. */
  readonly runId?: string;
}

/** One run of a workflow. */
export interface WorkflowRun extends WorkflowRef {
  readonly runId: string;
  /** The first run of the chain; a reset keeps it. */
  readonly firstRunId: string;
  readonly workflowType: string;
  readonly parentId: string | undefined;
  /** From 1; counts the workflow's own retries. */
  readonly attempt: number;
  /** In ms since 1970. */
  readonly startedAt: number;
  readonly isOpen: boolean;
  readonly historyLength: number;
}

export interface HistoryPage {
  readonly events: readonly HistoryEvent[];
  /** Absent at the end of a closed run's history. */
  readonly next: Uint8Array | undefined;
}

export interface HistoryRequest {
  readonly run: WorkflowRef;
  /** Where to read on; from the first event where absent. */
  readonly from?: Uint8Array | undefined;
  /** The close event alone. */
  readonly isCloseOnly?: boolean;
  /** Whether to wait for what comes. The server lets go of the question after some 20 s. */
  readonly isWaiting?: boolean;
  readonly limit?: number;
}

/** An activity that has failed and is tried again. */
export interface PendingRetry {
  /** As the history's events name it. */
  readonly taskId: string;
  /** The try that comes or is under way. */
  readonly attempt: number;
  /** What the one before failed with. */
  readonly message: string;
}

/** Errors: every method rejects with a TemporalError. */
export interface TemporalClient {
  readonly address: string;
  readonly namespace: string;
  readonly dataConverter: DataConverter | undefined;
  describe(ref: WorkflowRef): Promise<WorkflowRun>;
  /** The activities of an open run that are being tried again. */
  retries(run: WorkflowRef): Promise<readonly PendingRetry[]>;
  history(request: HistoryRequest, signal?: AbortSignal): Promise<HistoryPage>;
  /** Asks the workflow for its stream's state after a seq. */
  query(run: WorkflowRef, since: number, signal?: AbortSignal): Promise<unknown>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds since 1970 of a timestamp as the protocol has it. */
export function toMs(at: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Math.floor(Number(at?.seconds ?? 0) * 1_000 + (at?.nanos ?? 0) / 1e6);
}
