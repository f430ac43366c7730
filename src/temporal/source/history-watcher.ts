// Watches a run by its history alone, which needs no worker.
import { executionIdOf } from '../../event/execution-key.ts';
import type { CloseEvent } from '../shared/close-event.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import { type HistoryNumbering, numberingFrom } from '../shared/history-numbering.ts';
import { createChildCollector } from './child-rows.ts';
import { createHistoryAppender, type MappedEvent } from './history-appender.ts';
import { timeOf } from './history-events.ts';
import { followHistory } from './history-reader.ts';
import { createRowStatus } from './row-status.ts';
import { createRunMapper } from './run-mapper.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';
import { pollStream } from './workflow-streams/item-poller.ts';

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
  const { temporal, executionId, warnings, times } = context;
  const { base } = numbering;
  const rowStatus = createRowStatus(context);
  const mapper = createRunMapper(context, run, base > 0);
  const poller = pollStream(context, run, () => mapper.itemPosition);
  const startedChildren = createChildCollector();
  const halt = new AbortController();
  const signal = AbortSignal.any([context.signal, halt.signal]);
  const appender = createHistoryAppender(context, { run, base, onHalt: () => halt.abort() });
  let seq = base;
  let isStreaming = false;

  async function onEvents(history: readonly HistoryEvent[]): Promise<'stop' | undefined> {
    const events: MappedEvent[] = [];
    for (const source of history) {
      for (const mapped of await mapper.map(source)) {
        seq += 1;
        events.push({ source, event: { seq, ts: timeOf(source), ...mapped } });
      }
      // The start of a chain of runs is the same if the workflow streams itself. It does not wait for what follows.
      const isStart = events[0]?.event.seq === 1 && run.runId === run.firstRunId;
      if (isStart) await appender.append(events.splice(0));
      if (appender.outcome !== 'done') return 'stop';
    }
    poller.observe(history);
    isStreaming = (await gate.observe(history)) === 'stop';
    if (isStreaming || appender.outcome !== 'done') return 'stop';
    const children = startedChildren(history);
    if (children.length > 0) await context.beginChildren(executionIdOf(executionId), run, children);
    await appender.append(events);
    if (appender.outcome !== 'done') return 'stop';
    const last = events.map(({ event }) => event).findLast((event) => event.type === 'workflow_status');
    if (last) await rowStatus.set(last.data.status);
    return undefined;
  }

  try {
    const close = await followHistory({
      ...{ temporal, run, isCloseOnly: false, warnings, times, signal, prepare: mapper.prepare, onEvents },
    });
    await appender.stop();
    const { outcome } = appender;
    if (outcome !== 'done') return { stop: outcome };
    if (isStreaming) return { stop: 'streams' };
    return close ? { close, numbering, lastSeq: seq } : { stop: 'interrupted' };
  } finally {
    poller.stop();
    await appender.stop().catch(() => {});
  }
}
