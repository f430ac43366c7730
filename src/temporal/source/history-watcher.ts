// Watches a run by its history alone, which needs no worker.
import { isFinal } from '../../event/events.ts';
import { executionIdOf } from '../../event/execution-key.ts';
import { type CloseEvent, parseCloseEvent } from '../shared/close-event.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import { type HistoryNumbering, numberingFrom } from '../shared/history-numbering.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';
import { watchRetries } from './activity-retries.ts';
import { createChildCollector } from './child-rows.ts';
import type { FixedCopyOutcome } from './fixed-copy.ts';
import { createHistoryMapper, timeOf } from './history-events.ts';
import { followHistory } from './history-reader.ts';
import { createRowStatus } from './row-status.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';

/** A run that has closed. */
export interface ClosedRun {
  readonly close: CloseEvent;
  readonly numbering: HistoryNumbering;
  /** The seq of the last event before the close event. */
  readonly lastSeq: number;
}

/** Holds the events of a history back. */
export interface HistoryGate {
  /**
   * Takes in events of the history when its start is in the log. Resolves when the stream's events that follow the start
   * may be appended; `stop` if the workflow turned out to stream itself.
   */
  observe(events: readonly HistoryEvent[]): Promise<'stop' | undefined>;
}

const OPEN: HistoryGate = { observe: async () => undefined };

/**
 * Copies the events of a run until it closes; the close event is left to the caller.
 * @param gate see `HistoryGate`
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the log is unavailable; TemporalError `unknown-workflow`.
 */
export async function watchByHistory(
  context: WatchContext,
  run: WorkflowRun,
  firstNumbering: HistoryNumbering,
  gate: HistoryGate = OPEN,
): Promise<ClosedRun | { readonly stop: WatchOutcome }> {
  const { copy } = context;
  const { runId, startedAt: runStartedAt, attempt } = run;
  let numbering = firstNumbering;
  for (;;) {
    const { epoch, base } = numbering;
    const entered = await copy.enter({ epoch, runId, runStartedAt, attempt, base });
    if (entered !== 'done') return { stop: entered };
    if (copy.confirmed < base) {
      // The log was lost, and the events of previous runs with it.
      numbering = numberingFrom(run);
      if (numbering.epoch !== epoch) continue;
    }
    const read = await copyRun(context, run, numbering, gate);
    if ('close' in read) return read;
    if (read.stop !== 'retry') return { stop: read.stop };
  }
}

async function copyRun(
  context: WatchContext,
  run: WorkflowRun,
  numbering: HistoryNumbering,
  gate: HistoryGate,
): Promise<ClosedRun | { readonly stop: WatchOutcome | 'retry' }> {
  const { temporal, copy, executionId, warnings, times, signal } = context;
  const rowStatus = createRowStatus(context);
  const toStreamEvent = createHistoryMapper(run, numbering.base > 0, context.idsFrom(run));
  const startedChildren = createChildCollector();
  const openTasks = new Set<string>();
  let seq = numbering.base;
  let outcome: FixedCopyOutcome = 'done';

  async function onEvents(history: readonly HistoryEvent[]): Promise<'stop' | undefined> {
    const events: WorkflowEvent[] = [];
    for (const event of history) {
      const mapped = parseCloseEvent(event) ? undefined : toStreamEvent(event);
      if (!mapped) continue;
      const { type, data } = mapped;
      if (type === 'task_start') openTasks.add(data.taskId);
      if (type === 'task_status' && isFinal(data.status)) openTasks.delete(data.taskId ?? '');
      seq += 1;
      events.push({ seq, ts: timeOf(event), type, data } as WorkflowEvent);
    }
    // The start of a chain of runs is the same if the workflow streams itself.
    const start = events.splice(0, events[0]?.seq === 1 && run.runId === run.firstRunId ? 1 : 0);
    if (start.length > 0) outcome = await copy.append(start);
    if (outcome === 'done' && (await gate.observe(history)) === 'stop') outcome = 'streams';
    const children = startedChildren(history);
    if (outcome === 'done' && children.length > 0)
      await context.beginChildren(executionIdOf(executionId), run, children);
    if (outcome === 'done' && events.length > 0) outcome = await copy.append(events);
    const last = events.findLast((event) => event.type === 'workflow_status');
    if (outcome === 'done' && last) await rowStatus.set(last.data.status);
    return outcome === 'done' ? undefined : 'stop';
  }

  const stopRetries = watchRetries(context, run, openTasks);
  try {
    const close = await followHistory({
      ...{ temporal, run, isCloseOnly: false, warnings, times, signal, onEvents },
    });
    if (close) return { close, numbering, lastSeq: seq };
    return { stop: outcome === 'done' ? 'interrupted' : outcome };
  } finally {
    stopRetries();
  }
}
