// Watches a run of which it is not known yet whether it streams itself: shows its history, which needs no worker, and
// changes over to the query once the run responds to that.
//
// Invariants
// 1. The start is shown immediately. What follows is held back until the query has responded, but not longer than
//    `queryGraceMs` since a worker was last known to be there, or a second if that is busy with the queries of others: the
//    viewers of a workflow that streams itself should not see a history first and a `reset` afterwards.
// 2. A sink that writes to the log shows that the workflow streams itself, too.
// 3. The history is not copied any more when the run is watched by the query: there is one writer at a time.
import { delay } from '../../async/delay.ts';
import type { Announcement } from '../../log/log.ts';
import type { HistoryNumbering } from '../shared/history-numbering.ts';
import { type ClosedRun, type HistoryGate, watchByHistory } from './history-watcher.ts';
import {
  MAX_RESPONSE_MS,
  openResponseMs,
  type ProbeAnswer,
  probeStream,
  responseMs,
} from './stream-probe.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';

/** The run streams itself, or it has closed, or why the watch stops. */
export type UndecidedResult =
  | {
      readonly streams: true;
      /** A result of the query for all events, if there was one. */
      readonly firstResult: unknown;
    }
  | (ClosedRun & {
      /** Whether the run has no handler for the query. */
      readonly isCertain: boolean;
    })
  | { readonly stop: WatchOutcome };

/** Between two checks of that time. */
const CHECK_MS = 50;
/** Until then an announcement has reached the viewers: a warning repeats their cursor. */
const ANNOUNCED_MS = 200;

/**
 * Watches until the run closes, or turns out to stream itself.
 * @param isShown whether the log has events of this history already
 * @throws as `watchByHistory`
 */
export async function watchUndecided(
  context: WatchContext,
  run: WorkflowRun,
  numbering: HistoryNumbering,
  isShown: boolean,
): Promise<UndecidedResult> {
  const { temporal, log, executionId, copy, times } = context;
  const done = new AbortController();
  const signal = AbortSignal.any([context.signal, done.signal]);
  const inner = { ...context, signal };
  const hasWorker = () => temporal.hasWorker(run).catch(() => true);
  const isWorkerThere = await hasWorker();
  /** Resolves when the history need not be held back any longer. */
  let grace: Promise<unknown> | undefined = isShown || !isWorkerThere ? Promise.resolve() : undefined;
  let show!: () => void;
  const shown = new Promise<void>((resolve) => {
    show = resolve;
  }).then(() => delay(ANNOUNCED_MS, signal));
  let foundSink!: (answer: ProbeAnswer) => void;
  const sink = new Promise<ProbeAnswer>((resolve) => {
    foundSink = resolve;
  });

  function onAnnouncement({ epoch, events }: Announcement): void {
    const isOurs = copy.epoch === '' || (epoch === copy.epoch && (events.at(-1)?.seq ?? 0) <= copy.sent);
    if (!isOurs) foundSink('streams');
  }

  const probe = run.isOpen || isWorkerThere ? probeStream(inner, run, shown) : undefined;
  let isStreaming = false;
  const answered = new AbortController();
  const graceSignal = AbortSignal.any([signal, answered.signal]);
  const answer = Promise.race(probe ? [probe.answer, sink] : [sink]).then((given) => {
    isStreaming = given === 'streams';
    answered.abort();
    return given;
  });

  let waiting: Promise<void> | undefined;

  /** Resolves when a run that had closed before the watch has responded, or has had the time to. */
  function closedGrace(): Promise<void> {
    waiting ??= waitForClosed();
    return waiting;
  }

  async function waitForClosed(): Promise<void> {
    const since = performance.now();
    const isOver = (now: number) => {
      // Before it is sent, the query may wait for those of others.
      const waitedMs = now - (probe?.sentAt ?? now);
      return now - since >= MAX_RESPONSE_MS || waitedMs >= responseMs(context, run);
    };
    while (!graceSignal.aborted && !isOver(performance.now())) await delay(CHECK_MS, graceSignal);
  }

  const gate: HistoryGate = {
    async observe(events) {
      show();
      probe?.observe(events);
      const isWorking = events.some((event) => event.workflowTaskCompletedEventAttributes);
      if (isWorking && run.isOpen) grace = undefined;
      if (probe?.isAsking) {
        grace ??= run.isOpen ? delay(openResponseMs(context, run), graceSignal) : closedGrace();
      }
      await grace;
      return isStreaming ? 'stop' : undefined;
    },
  };

  const streams = () => ({ streams: true, firstResult: probe?.result }) as const;

  /** What the query says of a run that has closed, if a worker can respond to it. */
  async function lastAnswer(): Promise<ProbeAnswer> {
    // A run without a workflow task has run no code, so it cannot be queried.
    if (!probe?.isAsking || !(await hasWorker())) return 'unknown';
    // A worker that has left with the query looks like a slow one: the end does not wait longer than it would for that.
    const openMs = Math.min(times.finalQueryTimeoutMs, MAX_RESPONSE_MS);
    const wait = run.isOpen ? delay(openMs, signal) : closedGrace();
    return Promise.race([answer, wait.then(() => 'unknown' as const)]);
  }

  const unlisten = await log.listen(executionId, { onAnnouncement, onInterruption: () => {} });
  try {
    const historyEnd = new AbortController();
    const watching = watchByHistory(
      { ...inner, signal: AbortSignal.any([signal, historyEnd.signal]) },
      run,
      numbering,
      gate,
    );
    const changedOver = answer.then(async (given) => (given === 'streams' ? given : await watching));
    const watched = await Promise.race([watching, changedOver]);
    if (watched === 'streams') {
      historyEnd.abort();
      await watching;
      return streams();
    }
    if ('stop' in watched) return watched.stop === 'streams' ? streams() : watched;
    const last = await lastAnswer();
    return last === 'streams' ? streams() : { ...watched, isCertain: last === 'no-stream' };
  } finally {
    done.abort();
    await unlisten().catch(() => {});
  }
}
