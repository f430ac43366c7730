// Waits for the close event of a run: until then a terminal event that the sink received is provisional.
import { type CloseEvent, parseCloseEvent } from '../shared/close-event.ts';
import { CLOSE_EVENT_FILTER, type HistoryEvent } from '../shared/history-event.ts';

/** The part of a `WorkflowService` (of a NativeConnection or a client's Connection) that is called. */
export interface HistoryService {
  getWorkflowExecutionHistory(request: {
    namespace: string;
    execution: { workflowId: string; runId: string };
    waitNewEvent: boolean;
    historyEventFilterType: number;
    nextPageToken?: Uint8Array;
  }): Promise<HistoryResponse>;
}

interface HistoryResponse {
  readonly history?: { readonly events?: readonly HistoryEvent[] | null } | null;
  readonly nextPageToken?: Uint8Array | null;
}

/** Identifies a run of a workflow. */
export interface RunKey {
  readonly namespace: string;
  readonly workflowId: string;
  readonly runId: string;
}

/**
 * Waits until a run has closed. The server holds each request for up to 20 s.
 * @returns undefined if the run did not close within `timeoutMs`, or the signal aborted.
 * @throws what the service throws.
 */
export async function waitForClose(
  service: HistoryService,
  { namespace, workflowId, runId }: RunKey,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<CloseEvent | undefined> {
  const deadline = Date.now() + timeoutMs;
  let nextPageToken: Uint8Array | undefined;
  while (!signal.aborted && Date.now() < deadline) {
    const response = await service.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId, runId },
      waitNewEvent: true,
      historyEventFilterType: CLOSE_EVENT_FILTER,
      ...(nextPageToken && { nextPageToken }),
    });
    const event = response.history?.events?.at(-1);
    if (event && !signal.aborted) return parseCloseEvent(event);
    nextPageToken = response.nextPageToken?.length ? response.nextPageToken : undefined;
    // Without a token the server would respond immediately, in a tight loop.
    if (!nextPageToken) return undefined;
  }
  return undefined;
}
