// Which tasks in flight to show after the run was described.
import { nextShowAt } from './in-flight-schedule.ts';
import type { OpenTask } from './open-tasks.ts';
import type { PendingTask } from './temporal-client.ts';

/** A task that has changed, and what viewers know of it. */
export interface ChangedTask {
  readonly task: PendingTask;
  readonly known: OpenTask;
  /** Whether only its progress may have changed. */
  readonly isProgress: boolean;
}

export interface Selection {
  /** Those with another status first, then those that were shown least recently. */
  readonly changed: readonly ChangedTask[];
  /** When another one is expected to change, or may be shown, in ms since 1970; Infinity if that is unknown. */
  readonly dueAt: number;
}

/** What Temporal reports of a status, as a key to compare. */
export function statusKeyOf({ status, attempt, nextAttemptAt, note }: PendingTask): string {
  return JSON.stringify([status, attempt, nextAttemptAt, note]);
}

/**
 * Selects the tasks that have changed since they were shown, and may be shown again.
 * @param pending what Temporal reports
 * @param open the tasks that were open before the request; those that were shown last come last
 * @param isProgressShown whether heartbeats matter
 * @param now in ms since 1970
 */
export function selectChanged(
  pending: readonly PendingTask[],
  open: ReadonlyMap<string, OpenTask>,
  isProgressShown: boolean,
  now: number,
): Selection {
  const byId = new Map(pending.map((task) => [task.taskId, task]));
  const statuses: ChangedTask[] = [];
  const progress: ChangedTask[] = [];
  let dueAt = Number.POSITIVE_INFINITY;
  for (const [taskId, known] of open) {
    const task = byId.get(taskId);
    if (!task) continue;
    const { nextAttemptAt } = task;
    if (nextAttemptAt !== undefined && nextAttemptAt > now) dueAt = Math.min(dueAt, nextAttemptAt);
    const isProgress = known.statusKey === statusKeyOf(task);
    if (isProgress && (!isProgressShown || known.heartbeatAt === task.heartbeatAt)) continue;
    const showAt = showAtOf(task, known, isProgress, open.size);
    if (showAt > now) dueAt = Math.min(dueAt, showAt);
    else (isProgress ? progress : statuses).push({ task, known, isProgress });
  }
  return { changed: [...statuses, ...progress], dueAt };
}

/** A pause, and whatever else someone does with the task, is shown immediately. */
function showAtOf(task: PendingTask, known: OpenTask, isProgress: boolean, tasks: number): number {
  const { statusShownAt, progressShownAt, scheduledAt } = known;
  if (isProgress) return nextShowAt(progressShownAt ?? 0, scheduledAt, tasks);
  const isIntervention =
    task.note !== undefined || task.status === 'PAUSED' || known.shown?.status === 'PAUSED';
  return isIntervention ? 0 : nextShowAt(statusShownAt ?? 0, scheduledAt, tasks);
}
