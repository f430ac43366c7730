// Why the log of a workflow starts a new epoch, as its viewers see it.
import type { ResetReason } from '../../event/events.ts';

/** The run whose events are in a log. */
interface RunOfLog {
  readonly runId: string;
  /** From 1; counts the retries of the workflow itself. */
  readonly attempt: number;
}

/**
 * The reason for a new numbering: another attempt of the workflow, another run (cron, a reset, a new start), or the same
 * run, whose events now have another source or were changed by it.
 */
export function resetReasonOf(before: RunOfLog, next: RunOfLog): ResetReason {
  if (before.runId === next.runId) return 'source';
  return next.attempt > before.attempt ? 'attempt' : 'run';
}
