// Watches one workflow under one lease: from run to run, by the query or by the history, to its end.
//
// Invariants
// 1. The log's note says which of the two is used. Without a note, and until it is known whether the run streams itself,
//    its history is shown (undecided-watcher.ts). A run that has responded to the query is not watched by its history.
// 2. Continue-as-new continues the numbering that the next run carries over. A retry, a cron run and a reset start
//    another one: `copy.enter` then starts a new epoch of the log.
// 3. The execution ends once Temporal reports that no other run follows. A pinned run ends alone.
import { timestamp } from '../../event/events.ts';
import type { Execution } from '../../execution/store.ts';
import type { LogHead } from '../../log/log.ts';
import type { WorkflowEnd } from '../row-end.ts';
import { type CloseEvent, closeOfRunAlone } from '../shared/close-event.ts';
import { type HistoryNumbering, isHistoryEpoch, numberingFrom } from '../shared/history-numbering.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';
import { type CopyNote, parseCopyNote } from './copy-note.ts';
import type { FixedCopyOutcome } from './fixed-copy.ts';
import { continuationEvent } from './history-events.ts';
import { type ClosedRun as HistoryClose, watchByHistory } from './history-watcher.ts';
import { watchByQuery } from './query-watcher.ts';
import { firstContinuedRun, nextRun, openRun } from './run-chain.ts';
import { probeBefore } from './stream-probe.ts';
import type { WorkflowRef, WorkflowRun } from './temporal-client.ts';
import { watchUndecided } from './undecided-watcher.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';
import { endWorkflow } from './workflow-end.ts';

/** How the runs of a workflow are watched. */
type Method =
  | {
      readonly by: 'query';
      /** The run that is known to respond to the query. */
      readonly respondedRunId: string | undefined;
      /** The result of a query that was sent before. */
      readonly firstResult?: unknown;
    }
  | {
      readonly by: 'history';
      /** The numbering of the log; undefined if there is none yet. */
      readonly numbering: HistoryNumbering | undefined;
      /** Whether the workflow has no handler for the query. */
      readonly isCertain: boolean;
    };

const UNDECIDED = { by: 'history', numbering: undefined, isCertain: false } as const satisfies Method;

/** A run that has closed, and the method that it turned out to need. */
interface ClosedRun {
  readonly close: CloseEvent;
  readonly ownEnd: WorkflowEnd | undefined;
  /** The seq of its last event before the end. */
  readonly lastSeq: number;
  readonly method: Method;
}

/**
 * Watches until the workflow has ended, or this watcher may not continue.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if log or store are unavailable, and TemporalError if a run could not be
 *   read: start over, with a new token.
 */
export async function watchWorkflow(
  context: WatchContext,
  row: Execution,
  ref: WorkflowRef,
): Promise<WatchOutcome> {
  const { log, executionId, temporal, signal } = context;
  const head = await log.head(executionId);
  const note = parseCopyNote(head?.note);
  let method: Method = methodOf(note);
  let run = await openRun(temporal, ref, row, method.by === 'history' ? note?.runId : undefined);
  const isPinned = ref.runId !== undefined;
  // Nothing was copied yet: the runs that continued as new up to this one come first.
  if (!note && !head?.head && !isPinned) ({ run, method } = await startOfChain(context, run));
  // The run that the note names no longer exists: another numbering starts.
  if (method.by === 'history' && run.runId !== note?.runId) method = UNDECIDED;

  while (!signal.aborted) {
    await beginAttempt(context, run);
    const closed = await watchRun(context, run, method, () => hasOwnEvents(context, head, note));
    if ('stop' in closed) return closed.stop;
    const { close, ownEnd, lastSeq } = closed;
    method = closed.method;
    const next = isPinned ? undefined : await nextRun(temporal, run, close);
    if (!next) {
      const { namespace } = run;
      const isOwnStream = method.by === 'query';
      if (isPinned && !isOwnStream && close.continuation === 'continued') {
        await appendContinuation(context, lastSeq, close);
      }
      const end = isPinned ? closeOfRunAlone(close) : close;
      const outcome = await endWorkflow(context, { namespace, close: end, ownEnd, isOwnStream });
      return outcome === 'retry' ? 'interrupted' : outcome;
    }
    if (method.by === 'history') {
      const numbering = await continueNumbering(context, method.numbering!, lastSeq, next, close);
      method = { ...method, numbering };
    }
    run = next;
  }
  return 'interrupted';
}

/**
 * Where to start with a chain of runs, and how. The current run of a workflow that streams itself carries the numbering of
 * the chain, so the runs before it are queried for what it has trimmed. A history starts with the first run.
 */
async function startOfChain(
  context: WatchContext,
  run: WorkflowRun,
): Promise<{ readonly run: WorkflowRun; readonly method: Method }> {
  const { temporal } = context;
  const first = await firstContinuedRun(temporal, run);
  const canRespond = first !== run && (await temporal.hasWorker(run).catch(() => true));
  if (!canRespond) return { run: first, method: UNDECIDED };
  const { answer, result } = await probeBefore(context, run);
  if (answer === 'streams') {
    return { run, method: { by: 'query', respondedRunId: undefined, firstResult: result } };
  }
  return { run: first, method: { ...UNDECIDED, isCertain: answer === 'no-stream' } };
}

function methodOf(note: CopyNote | undefined): Method {
  if (!note) return UNDECIDED;
  if (isHistoryEpoch(note.epoch)) return { by: 'history', numbering: note, isCertain: false };
  return { by: 'query', respondedRunId: note.runId };
}

async function watchRun(
  context: WatchContext,
  run: WorkflowRun,
  method: Method,
  hasOwnEvents: () => Promise<boolean>,
): Promise<{ readonly stop: WatchOutcome } | ClosedRun> {
  if (method.by === 'history' && !method.isCertain) {
    const { numbering } = method;
    const watched = await watchUndecided(
      context,
      run,
      numbering ?? numberingFrom(run),
      numbering !== undefined,
    );
    if ('streams' in watched) {
      const query: Method = { by: 'query', respondedRunId: undefined, firstResult: watched.firstResult };
      return watchRun(context, run, query, hasOwnEvents);
    }
    if ('stop' in watched) return watched;
    return closedByHistory(watched, watched.isCertain);
  }
  if (method.by === 'query') {
    const { respondedRunId, firstResult } = method;
    const hasResponded = respondedRunId === run.runId;
    const watched = await watchByQuery(context, run, { hasResponded, firstResult });
    if ('close' in watched && (watched.hasResponded || (await hasOwnEvents()))) {
      const { close, ownEnd } = watched;
      const lastSeq = context.copy.confirmed;
      return { close, ownEnd, lastSeq, method: { by: 'query', respondedRunId: run.runId } };
    }
    if ('stop' in watched && watched.stop !== 'no-query') return { stop: watched.stop };
    // It has no handler for the query, or closed before it could be queried: its history is read.
    context.warnings.clear('query');
  }
  const numbering = method.by === 'history' ? method.numbering : undefined;
  const watched = await watchByHistory(context, run, numbering ?? numberingFrom(run));
  return 'stop' in watched ? watched : closedByHistory(watched, true);
}

function closedByHistory({ close, lastSeq, numbering }: HistoryClose, isCertain: boolean): ClosedRun {
  return { close, ownEnd: undefined, lastSeq, method: { by: 'history', numbering, isCertain } };
}

/** Whether the log has events that an earlier watcher got by the query: the end then follows them. */
async function hasOwnEvents(
  { copy }: WatchContext,
  head: LogHead | undefined,
  note: CopyNote | undefined,
): Promise<boolean> {
  if (!note || !head || isHistoryEpoch(note.epoch)) return false;
  return (await copy.enter({ ...note, attempt: head.attempt })) === 'done';
}

/** Appends the event between two runs of a history; returns where the seqs of the next run start. */
async function continueNumbering(
  context: WatchContext,
  numbering: HistoryNumbering,
  lastSeq: number,
  next: WorkflowRun,
  close: CloseEvent,
): Promise<HistoryNumbering> {
  if (!close.continuation) return numberingFrom(next);
  const outcome = await appendContinuation(context, lastSeq, close);
  const continues = outcome === 'done' && close.continuation === 'continued';
  return continues ? { epoch: numbering.epoch, base: lastSeq + 1 } : numberingFrom(next);
}

function appendContinuation(
  { copy }: WatchContext,
  lastSeq: number,
  close: CloseEvent,
): Promise<FixedCopyOutcome> {
  const ts = timestamp(new Date(close.closedAt));
  return copy.append([{ seq: lastSeq + 1, ts, ...continuationEvent(close) } as WorkflowEvent]);
}

/** The row's attempt follows the workflow's own retries. Cron runs start at 1 again and do not reset it. */
async function beginAttempt({ store, executionId }: WatchContext, run: WorkflowRun): Promise<void> {
  const row = await store.get(executionId);
  if (!row || row.finishedAt || run.attempt <= row.attempt) return;
  const { kind, mode, tenant } = row;
  const { attempt, workflowId, firstRunId: runId } = run;
  await store.begin({
    ...{ id: row.id, kind, mode, attempt, workflowId, runId },
    ...(tenant !== undefined && { tenant }),
  });
}
