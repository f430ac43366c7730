// Watches a run that knows nothing of us, by its history alone.
import { isFinal } from '../../event/events.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';
import { watchRetries } from './activity-retries.ts';
import { type Close, closeOf, timeOf } from './close-event.ts';
import { createHistoryReader } from './history-events.ts';
import { followHistory } from './history-reader.ts';
import type { HistoryEvent, WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';

/** Where the numbers of a run's events begin. */
export interface HistoryPlace {
  /** Names the numbering: the run that it began with. */
  readonly epoch: string;
  /** The seq before the run's first event. */
  readonly base: number;
}

const EPOCH = /^history:/;

/** Whether a note's epoch is one of a history. */
export function isHistoryEpoch(epoch: string): boolean {
  return EPOCH.test(epoch);
}

/** A numbering that begins with this run. */
export function beginningWith(run: WorkflowRun): HistoryPlace {
  return { epoch: `history:${run.runId}`, base: 0 };
}

/** A run that has closed, and what its numbers came to. */
interface ReadRun {
  readonly close: Close;
  readonly place: HistoryPlace;
  /** The seq of the last event before the close. */
  readonly last: number;
}

/** Unwinds the reading of a history once the log has said what to do. */
class Stopped extends Error {
  readonly outcome: WatchOutcome | 'again';

  constructor(outcome: WatchOutcome | 'again') {
    super(outcome);
    this.outcome = outcome;
  }
}

/**
 * Watches a run until it closes; its close event is left to the caller.
 * @returns how it closed, and where its numbers stand.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` where the log does not answer; TemporalError `unknown-workflow`.
 */
export async function watchByHistory(
  watched: WatchContext,
  run: WorkflowRun,
  given: HistoryPlace,
): Promise<ReadRun | { readonly stop: WatchOutcome }> {
  let place = given;
  for (;;) {
    const { epoch, base } = place;
    const { runId, startedAt: runStartedAt, attempt } = run;
    const entered = await watched.copy.enter({ epoch, runId, runStartedAt, attempt, base });
    if (entered !== 'done' && entered !== 'again') return { stop: entered };
    if (watched.copy.confirmed < base) {
      // The log was lost, and what stood before this run with it.
      place = beginningWith(run);
      if (place.epoch !== epoch) continue;
    }
    try {
      return (await readRun(watched, run, place)) ?? { stop: 'left' };
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      if (error.outcome !== 'again') return { stop: error.outcome };
    }
  }
}

async function readRun(
  watched: WatchContext,
  run: WorkflowRun,
  place: HistoryPlace,
): Promise<ReadRun | undefined> {
  const { temporal, copy, warnings: troubles, times, signal } = watched;
  const tell = createHistoryReader(run, place.base > 0);
  const openTasks = new Set<string>();
  let seq = place.base;

  async function onEvents(events: readonly HistoryEvent[]): Promise<void> {
    const told: WorkflowEvent[] = [];
    for (const event of events) {
      const one = closeOf(event) ? undefined : tell(event);
      if (!one) continue;
      if (one.type === 'task_start') openTasks.add(one.data.taskId);
      if (one.type === 'task_status' && isFinal(one.data.status)) openTasks.delete(one.data.taskId ?? '');
      seq += 1;
      told.push({ seq, ts: timeOf(event), ...one } as WorkflowEvent);
    }
    if (told.length === 0) return;
    const outcome = await copy.append(told);
    if (outcome !== 'done') throw new Stopped(outcome);
  }

  const stopLooking = watchRetries(watched, run, openTasks);
  try {
    const close = await followHistory({
      temporal,
      run,
      isCloseOnly: false,
      troubles,
      times,
      signal,
      onEvents,
    });
    return close && { close, place, last: seq };
  } finally {
    stopLooking();
  }
}
