// The end of a workflow, in the order of every end: the row, the terminal event, its cursor on the row.
import { isFinal, type TerminalType } from '../../event/events.ts';
import { terminalEventOf } from '../../event/terminal-event.ts';
import type { ExecutionEnd } from '../../execution/store.ts';
import { decodeFirst, decodePlainJson, type PayloadDecoder } from '../shared/payloads.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';
import { type Close, endOf, terminalOfClose } from './close-event.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';

export interface Finish {
  readonly run: WorkflowRun;
  readonly close: Close;
  /** What the workflow itself said at its end, where it could be asked. */
  readonly said: WorkflowEvent<TerminalType> | undefined;
  /** Whether the workflow streams by itself: its result is then meant to be seen. */
  readonly isOurs: boolean;
}

/**
 * Ends the row and the log, whichever of them is still open. Any number of servers and workers may try.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` where log or store do not answer.
 */
export async function finish(
  watched: WatchContext,
  { run, close, said, isOurs }: Finish,
): Promise<WatchOutcome | 'again'> {
  const { store, log, executionId, copy } = watched;
  const agreed = said && agrees(said, close) ? said : undefined;
  const end = await endFor(agreed, close, isOurs ? decodePlainJson : watched.decodePayload);
  const before = await store.get(executionId);
  const row = before && (await store.finish(executionId, before.attempt, end));
  if (!row || !isFinal(row.status)) return 'left';
  const isWon = row.status === end.status;
  // Another end stands on the row, and the first one wins.
  const event =
    (isWon && agreed) || (isWon ? terminalOfClose(close, end, run.startedAt) : terminalEventOf(row)!);
  const head = await log.head(executionId);
  if (head && head.end === 0 && head.epoch === copy.epoch) {
    const seq = 'seq' in event ? event.seq : head.head + 1;
    const outcome = await copy.append([{ ...event, seq } as WorkflowEvent]);
    if (outcome !== 'done' && outcome !== 'ended') return outcome;
  } else if (!head || head.end === 0) {
    return 'again';
  }
  const ended = await log.head(executionId);
  if (ended && ended.end > 0) await store.markEnd(executionId, { seq: ended.end, epoch: ended.epoch });
  return 'ended';
}

function agrees({ type, data }: WorkflowEvent<TerminalType>, { status }: Close): boolean {
  return type === 'complete' ? status === 'SUCCESS' : data.status === status;
}

async function endFor(
  said: WorkflowEvent<TerminalType> | undefined,
  close: Close,
  decode: PayloadDecoder | undefined,
): Promise<ExecutionEnd> {
  const usage = said?.data.usage && { usage: said.data.usage };
  if (said?.type === 'error') {
    const { status, message, code } = said.data;
    return { status, error: { message, ...(code !== undefined && { code }) }, ...usage };
  }
  if (said && !said.data.resultOmitted) {
    const { result } = said.data;
    return { status: 'SUCCESS', ...(result !== undefined && { result }), ...usage };
  }
  // What is too large for an event, the row has all the same.
  const result = await decodeFirst(close.result, decode);
  const isOmitted = said?.data.resultOmitted && result === undefined;
  return { ...endOf(close, result), ...(isOmitted && { resultOmitted: true }), ...usage };
}
