// One watcher's work on one workflow under one lease: from run to run, by the query or by the history, to its end.
//
// Invariants
// 1. Which of the two is used, the log's note says where it names one; else the workflow is asked. A run that has
//    answered the query once is not watched by its history.
// 2. Continue-as-new goes on in the numbering that the next run carries over. A retry, a cron run and a reset begin
//    another one: `copy.enter` then begins a new epoch of the log.
// 3. The execution ends once Temporal says that no run goes on.
import { timestamp } from '../../event/events.ts';
import type { Execution } from '../../execution/store.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';
import { type Close, stepOfClose } from './close-event.ts';
import { parseRelayNote } from './fixed-copy.ts';
import { beginningWith, type HistoryPlace, isHistoryEpoch, watchByHistory } from './history-watcher.ts';
import { watchByQuery } from './query-watcher.ts';
import { nextRun, openRun } from './run-chain.ts';
import type { WorkflowRef, WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';
import { finish } from './workflow-end.ts';

/** A run that has closed. */
interface SeenRun {
  readonly close: Close;
  /** What it said of its end by itself. */
  readonly said: WorkflowEvent<'complete' | 'error'> | undefined;
  /** The seq of its last event before the end. */
  readonly last: number;
}

/**
 * Watches until there is nothing more to tell, or this watcher may not go on.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` where log or store do not answer, and TemporalError where a run could
 *   not be read: begin again, with a new token.
 */
export async function watchWorkflow(
  watched: WatchContext,
  row: Execution,
  ref: WorkflowRef,
): Promise<WatchOutcome> {
  const { log, executionId, temporal, signal } = watched;
  const head = await log.head(executionId);
  const note = parseRelayNote(head?.note);
  let place: HistoryPlace | undefined = note && isHistoryEpoch(note.epoch) ? note : undefined;
  let answered = place || note?.isGuess ? undefined : note?.runId;
  let run = await openRun(temporal, ref, row, place ? note?.runId : undefined);
  // The run that the note names is gone: another numbering begins.
  if (place && run.runId !== note?.runId) place = undefined;

  while (!signal.aborted) {
    await beginAttempt(watched, run);
    const seen = await watchRun(run);
    if ('stop' in seen) return seen.stop;
    const next = await nextRun(temporal, run, seen.close);
    if (!next) {
      const done = await finish(watched, { run, close: seen.close, said: seen.said, isOurs: !place });
      // The log was lost meanwhile: with another hand on it, all is told again.
      return done === 'again' ? 'left' : done;
    }
    if (place) place = await goOn(place, seen.last, next, seen.close);
    run = next;
  }
  return 'left';

  async function watchRun(now: WorkflowRun): Promise<{ stop: WatchOutcome } | SeenRun> {
    if (!place) {
      const seen = await watchByQuery(watched, now, answered === now.runId);
      if ('close' in seen && (seen.isOurs || (await hasOurs()))) {
        answered = now.runId;
        return { close: seen.close, said: seen.end, last: watched.copy.confirmed };
      }
      if ('stop' in seen && seen.stop !== 'no-query') return { stop: seen.stop };
      // It does not answer, or closed before anyone could ask: its history tells.
      watched.warnings.over('query');
      place = beginningWith(now);
    }
    const seen = await watchByHistory(watched, now, place);
    if ('stop' in seen) return seen;
    place = seen.place;
    return { close: seen.close, said: undefined, last: seen.last };
  }

  /** Whether the log has what the workflow said of itself to those before: the end then follows on that. */
  async function hasOurs(): Promise<boolean> {
    if (!note || !head || note.isGuess) return false;
    return (await watched.copy.enter({ ...note, attempt: head.attempt })) === 'done';
  }

  /** Tells the step from one run to the next; answers where the next one's numbers begin. */
  async function goOn(from: HistoryPlace, last: number, next: WorkflowRun, close: Close) {
    if (!close.goesOn) return beginningWith(next);
    const seq = last + 1;
    const ts = timestamp(new Date(close.at));
    const outcome = await watched.copy.append([{ seq, ts, ...stepOfClose(close) } as WorkflowEvent]);
    const isOneNumbering = outcome === 'done' && close.goesOn === 'continued';
    return isOneNumbering ? { epoch: from.epoch, base: seq } : beginningWith(next);
  }
}

/** The row's attempt follows the workflow's own retries; cron runs, which begin at 1 again, do not set it back. */
async function beginAttempt({ store, executionId }: WatchContext, run: WorkflowRun): Promise<void> {
  const row = await store.get(executionId);
  if (!row || row.finishedAt || run.attempt <= row.attempt) return;
  const { kind, mode, tenant } = row;
  const { attempt, workflowId, firstRunId: runId } = run;
  await store.begin({
    id: row.id,
    kind,
    mode,
    attempt,
    workflowId,
    runId,
    ...(tenant !== undefined && { tenant }),
  });
}
