// Shows the tasks in flight of a run that is watched by its history: activities, and Nexus operations that have not started.
// The history has an attempt of an activity only once the activity is over, so the run is described in the meantime. Changes
// are inserted into the log, where all viewers on all servers see them (decision 0042).
//
// Invariants
// 1. There is one description of the run at a time, and none while no task is open.
// 2. Nothing of a task is inserted after its end, nor while the log has events that were not observed: that is checked in the
//    same turn (`exclusively`) as the insert.
// 3. A status is inserted if it differs from the one that was shown last, by this watcher or by an earlier one.
import { createSignal } from '../../async/signal.ts';
import type { NewEvent } from '../../event/events.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';
import { decodeFailures } from './encoded-failures.ts';
import type { FixedCopyOutcome } from './fixed-copy.ts';
import { readProgress } from './heartbeat-progress.ts';
import { inFlightEvents, inFlightStatus, isShown, type Progress } from './in-flight-events.ts';
import { createInFlightSchedule, type RoundResult } from './in-flight-schedule.ts';
import { type ChangedTask, selectChanged, statusKeyOf } from './in-flight-selection.ts';
import { type OpenTask, OpenTasks } from './open-tasks.ts';
import type { PendingTask, WorkflowRun } from './temporal-client.ts';
import type { WatchContext } from './watch-context.ts';

/** Tasks that are shown in one round. The others follow in the next ones. */
const MAX_TASKS_PER_ROUND = 100;
/** How much of a log is read for the statuses that an earlier watcher has shown. */
const MAX_RESTORED_EVENTS = 10_000;
const PAGE_SIZE = 500;
/** The longest wait for a signal. */
const MAX_WAIT_MS = 15_000;
/** No change, and none that is expected; or the log has to be read first. */
const QUIET: RoundResult = { isChanged: false, dueAt: Number.POSITIVE_INFINITY };
const NOT_READY: RoundResult = { ...QUIET, isChanged: true };

export interface InFlightOptions {
  readonly run: WorkflowRun;
  /** The position before the first event of the run. */
  readonly base: number;
  /** Runs work while nothing else is appended. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
  /** The copy may not continue. */
  readonly onStop: (outcome: FixedCopyOutcome) => void;
  /** The log is unavailable, or an append has an unknown outcome. */
  readonly onError: (error: unknown) => void;
}

export interface InFlightWatch {
  /** Takes in an event that is in the log, and the event of the history that it shows: each one, in order. */
  observe(source: HistoryEvent, event: WorkflowEvent): void;
  /** Resolves when nothing more will be inserted. */
  stop(): Promise<void>;
}

type ProgressByTask = ReadonlyMap<PendingTask, Progress | undefined>;

/** Starts to describe an open run, unless `activitiesMs` is 0. */
export function watchInFlight(context: WatchContext, options: InFlightOptions): InFlightWatch {
  const { temporal, log, executionId, copy, times, decodePayload } = context;
  const { run, base, exclusively, onStop, onError } = options;
  const open = new OpenTasks(base);
  const schedule = createInFlightSchedule(times.activitiesMs);
  const opened = createSignal();
  const stopping = new AbortController();
  const signal = AbortSignal.any([context.signal, stopping.signal]);
  const decode = (payloads: Parameters<typeof temporal.decode>[1]) =>
    temporal.decode(run.namespace, payloads);
  let isRestored = false;

  /** Whether the open tasks are those of the log, all of whose events are confirmed. */
  function isCurrent(): boolean {
    const isObserved = open.lastPosition >= copy.confirmed;
    return !signal.aborted && isObserved && copy.head === copy.confirmed + copy.inserted;
  }

  /** Reads from the log how an earlier watcher has shown the open tasks. */
  async function restore(): Promise<void> {
    const first = Math.min(...Array.from(open.entries.values(), ({ position }) => position));
    let after = Math.max(first - 1, copy.head - MAX_RESTORED_EVENTS);
    while (copy.inserted > 0 && after < copy.head) {
      const page = await log.read(executionId, after, PAGE_SIZE);
      if (page?.epoch !== copy.epoch || page.events.length === 0) break;
      open.restore(page.events);
      after = page.events.at(-1)!.seq;
    }
    isRestored = true;
  }

  /** The open tasks; undefined while the log is ahead of the events that were observed. */
  async function openBefore(): Promise<ReadonlyMap<string, OpenTask> | undefined> {
    return exclusively(async () => {
      if (!isCurrent()) return undefined;
      if (!isRestored) await restore();
      return new Map(open.entries);
    });
  }

  /**
   * Describes the run, and inserts the changes.
   * @param before the tasks that were open before
   */
  async function describe(before: ReadonlyMap<string, OpenTask>): Promise<RoundResult> {
    const pending = await temporal.pendingTasks(run, signal);
    const { changed, dueAt } = selectChanged(pending, before, decodePayload !== undefined, Date.now());
    const round = changed.slice(0, MAX_TASKS_PER_ROUND);
    const tasks = round.map(({ task }) => task);
    await decodeFailures(tasks, decode);
    // Without the codec, the status is shown now, and the progress in a later round.
    const progress =
      decodePayload && (await readProgress(tasks, decode, decodePayload).catch(() => undefined));
    const hasInserted = await exclusively(() => insert(round, progress)).catch(fail);
    return { isChanged: hasInserted || changed.length > round.length, dueAt };
  }

  async function insert(
    round: readonly ChangedTask[],
    progress: ProgressByTask | undefined,
  ): Promise<boolean> {
    if (!isCurrent()) return false;
    const isComplete = progress !== undefined || decodePayload === undefined;
    const now = Date.now();
    const events: NewEvent[] = [];
    const shown: [taskId: string, task: OpenTask][] = [];
    for (const { task, known, isProgress } of round) {
      // It has ended, or the history has had news of it.
      if (open.entries.get(task.taskId) !== known) continue;
      const status = inFlightStatus(task, progress?.get(task));
      const heartbeatAt = isComplete ? task.heartbeatAt : known.heartbeatAt;
      const reported = { ...known, statusKey: statusKeyOf(task), heartbeatAt };
      if (isShown(status, known.shown)) {
        shown.push([task.taskId, reported]);
        continue;
      }
      events.push(...inFlightEvents(task, status, known.attempt));
      const shownAt = isProgress ? { progressShownAt: now } : { statusShownAt: now };
      const attempt = Math.max(known.attempt, task.attempt);
      shown.push([task.taskId, { ...reported, ...shownAt, attempt, shown: status }]);
    }
    const outcome = events.length > 0 ? await copy.insert(events) : 'done';
    if (outcome === 'done') for (const [taskId, task] of shown) open.show(taskId, task);
    else onStop(outcome);
    return outcome === 'done' && events.length > 0;
  }

  function fail(error: unknown): false {
    stopping.abort();
    onError(error);
    return false;
  }

  async function describeRepeatedly(): Promise<void> {
    while (!signal.aborted) {
      const now = Date.now();
      const waitMs = open.entries.size === 0 ? MAX_WAIT_MS : schedule.nextAt() - now;
      if (waitMs > 0) {
        await opened.wait(Math.min(waitMs, MAX_WAIT_MS));
        continue;
      }
      const before = await openBefore().catch(fail);
      // A call that fails is repeated later: the reader of the history warns when Temporal is unavailable.
      schedule.described(now, before ? await describe(before).catch(() => QUIET) : NOT_READY);
    }
  }

  if (run.isOpen && times.activitiesMs > 0) {
    signal.addEventListener('abort', opened.set, { once: true });
    void describeRepeatedly();
  }
  return {
    observe(source, event) {
      const before = open.entries.size;
      open.observe(source, event);
      if (open.entries.size <= before) return;
      schedule.opened(Date.now());
      opened.set();
    },
    async stop() {
      stopping.abort();
      await exclusively(async () => {});
    },
  };
}
