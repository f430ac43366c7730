// The end of a workflow that a server watches (lifecycle/end-execution.ts has the order of its steps).
import type { NewEvent, TerminalType } from '../../event/events.ts';
import { terminalEventOf } from '../../event/terminal-event.ts';
import { endExecution, type Position } from '../../lifecycle/end-execution.ts';
import { rowEndOf, type WorkflowEnd } from '../row-end.ts';
import { type CloseEvent, confirmsEnd } from '../shared/close-event.ts';
import { decodePlainJson } from '../shared/payloads.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';
import { withCodec } from './payload-decoder.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';

export interface ClosedWorkflow {
  readonly namespace: string;
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
  { namespace, close, ownEnd, isOwnStream }: ClosedWorkflow,
): Promise<WatchOutcome | 'retry'> {
  const { temporal, store, executionId, sizes } = context;
  const confirmed = ownEnd && confirmsEnd(close, ownEnd) ? ownEnd : undefined;
  const shown = isOwnStream ? decodePlainJson : context.decodePayload;
  const end = await rowEndOf(confirmed, close, shown && withCodec(temporal, namespace, shown));
  const before = await store.get(executionId);
  if (!before) return 'interrupted';
  // What kept the terminal event from the log.
  let stopped: WatchOutcome | 'retry' | undefined;
  const { outcome } = await endExecution({
    end,
    attempt: before.attempt,
    // The row's start is that of the first run. A log that is restored gets the end of the row, which was shown before.
    terminal:
      confirmed ??
      (context.restores ? undefined : terminalEventOf({ ...end, startedAt: before.startedAt }, sizes)),
    sizes,
    finish: (rowEnd) => store.finish(executionId, before.attempt, rowEnd),
    async append(terminal) {
      stopped = await appendEnd(context, terminal);
      return stopped ? undefined : positionOfEnd(context);
    },
    markEnd: (position) => store.markEnd(executionId, position),
  });
  if (outcome === 'missing' || outcome === 'superseded') return 'interrupted';
  return stopped ?? 'ended';
}

/** Appends the terminal event unless the log has one; returns what prevented it. */
async function appendEnd(
  { log, executionId, copy }: WatchContext,
  terminal: NewEvent<TerminalType>,
): Promise<WatchOutcome | 'retry' | undefined> {
  const head = await log.head(executionId);
  if (head && head.end > 0) return undefined;
  if (!head || head.epoch !== copy.epoch) return 'retry';
  // The copy counts without the events that it has inserted.
  const seq = 'seq' in terminal ? terminal.seq : head.head + 1 - copy.inserted;
  const outcome = await copy.append([{ ...terminal, seq } as WorkflowEvent]);
  return outcome === 'done' || outcome === 'ended' ? undefined : outcome;
}

async function positionOfEnd({ log, executionId }: WatchContext): Promise<Position | undefined> {
  const head = await log.head(executionId);
  return head && head.end > 0 ? { seq: head.end, epoch: head.epoch } : undefined;
}
