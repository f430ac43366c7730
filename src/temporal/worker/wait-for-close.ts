// How a run of a workflow closed, asked of Temporal: until then a sink's terminal event is provisional.
import type { JsonValue } from '../../event/events.ts';

/** What of a `WorkflowService` (of a NativeConnection or a client's Connection) is called. */
export interface HistoryService {
  getWorkflowExecutionHistory(request: {
    namespace: string;
    execution: { workflowId: string; runId: string };
    waitNewEvent: boolean;
    historyEventFilterType: number;
    nextPageToken?: Uint8Array;
  }): Promise<HistoryAnswer>;
}

interface HistoryAnswer {
  readonly history?: { readonly events?: readonly object[] | null } | null;
  readonly nextPageToken?: Uint8Array | null;
}

/** A run of a workflow. */
export interface WorkflowRun {
  readonly namespace: string;
  readonly workflowId: string;
  readonly runId: string;
}

/** How it closed. */
export interface Close {
  readonly how: 'completed' | 'failed' | 'canceled' | 'other';
  /** Another run goes on in its place: a retry, a cron run, continue-as-new. */
  readonly goesOn: boolean;
  /** What it returned, where Temporal's default converter wrote it as JSON. */
  readonly result?: JsonValue;
}

/** Temporal's HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT. */
const CLOSE_EVENT = 2;

/**
 * Waits until a run has closed. The server holds each question for up to 20 s.
 * @returns undefined where it has not closed within `forMs`, or the signal aborted.
 * @throws what the service throws.
 */
export async function waitForClose(
  service: HistoryService,
  run: WorkflowRun,
  forMs: number,
  signal: AbortSignal,
): Promise<Close | undefined> {
  const { namespace, workflowId, runId } = run;
  const deadline = Date.now() + forMs;
  let nextPageToken: Uint8Array | undefined;
  while (!signal.aborted && Date.now() < deadline) {
    const answer = await service.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId, runId },
      waitNewEvent: true,
      historyEventFilterType: CLOSE_EVENT,
      ...(nextPageToken && { nextPageToken }),
    });
    const event = answer.history?.events?.at(-1);
    if (event && !signal.aborted) return closeOf(event);
    nextPageToken = answer.nextPageToken?.length ? answer.nextPageToken : undefined;
    // Without a token the server would answer at once, again and again.
    if (!nextPageToken) return undefined;
  }
  return undefined;
}

type Attributes = {
  newExecutionRunId?: string | null;
  result?: { payloads?: readonly Payload[] | null } | null;
};
type Payload = { metadata?: Record<string, Uint8Array> | null; data?: Uint8Array | null };

function closeOf(event: object): Close {
  const attributes = (name: string) =>
    Reflect.get(event, `workflowExecution${name}EventAttributes`) as Attributes | null | undefined;
  const completed = attributes('Completed');
  const failed = attributes('Failed');
  const goesOn = Boolean(completed?.newExecutionRunId || failed?.newExecutionRunId);
  if (completed) return { how: 'completed', goesOn, ...resultOf(completed.result?.payloads?.[0]) };
  if (failed) return { how: 'failed', goesOn };
  if (attributes('Canceled')) return { how: 'canceled', goesOn: false };
  return { how: 'other', goesOn: Boolean(attributes('ContinuedAsNew')) };
}

function resultOf(payload: Payload | undefined): { result?: JsonValue } {
  const encoding = payload?.metadata?.encoding;
  if (!payload?.data || !encoding || Buffer.from(encoding).toString() !== 'json/plain') return {};
  try {
    return { result: JSON.parse(Buffer.from(payload.data).toString()) as JsonValue };
  } catch {
    return {};
  }
}
