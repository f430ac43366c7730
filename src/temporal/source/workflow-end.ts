// The end of a workflow, in the order of every end: the row, the terminal event, its cursor on the row.
import { isFinal } from '../../event/events.ts';
import { terminalEventOf } from '../../event/terminal-event.ts';
import { rowEndOf, type WorkflowEnd } from '../row-end.ts';
import { type CloseEvent, confirmsEnd } from '../shared/close-event.ts';
import { decodePlainJson } from '../shared/payloads.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';

export interface ClosedWorkflow {
  readonly run: WorkflowRun;
  readonly close: CloseEvent;
  /** The workflow's own terminal event, if it responded to the query. */
  readonly ownEnd: WorkflowEnd | undefined;
  /** Whether the workflow uses execstream: its result is then meant to be shown. */
  readonly isOwnStream: boolean;
}

/**
 * Ends the row and the log if they are still open. Several servers and workers may do so concurrently.
 * @returns `retry` if the log was lost: start over, to copy all events again.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if log or store are unavailable.
 */
export async function endWorkflow(
  context: WatchContext,
  { run, close, ownEnd, isOwnStream }: ClosedWorkflow,
): Promise<WatchOutcome | 'retry'> {
  const { store, log, executionId, copy } = context;
  const confirmed = ownEnd && confirmsEnd(close, ownEnd) ? ownEnd : undefined;
  const end = await rowEndOf(confirmed, close, isOwnStream ? decodePlainJson : context.decodePayload);
  const before = await store.get(executionId);
  const row = before && (await store.finish(executionId, before.attempt, end));
  if (!row || !isFinal(row.status)) return 'interrupted';
  // The first end of a row wins: the row may have another one, and then that is appended.
  const event =
    row.status !== end.status
      ? terminalEventOf(row)!
      : (confirmed ??
        terminalEventOf({
          ...end,
          startedAt: new Date(run.startedAt),
          finishedAt: new Date(close.closedAt),
        })!);
  const head = await log.head(executionId);
  if (head && head.end === 0 && head.epoch === copy.epoch) {
    const seq = 'seq' in event ? event.seq : head.head + 1;
    const outcome = await copy.append([{ ...event, seq } as WorkflowEvent]);
    if (outcome !== 'done' && outcome !== 'ended') return outcome;
  } else if (!head || head.end === 0) {
    return 'retry';
  }
  const ended = await log.head(executionId);
  if (ended && ended.end > 0) await store.markEnd(executionId, { seq: ended.end, epoch: ended.epoch });
  return 'ended';
}
