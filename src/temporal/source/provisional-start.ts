// Begins the log of a workflow that cannot be asked yet: a viewer who has read nothing has no cursor, and could not be
// warned of that.

import { delay } from '../../async/backoff.ts';
import { timestamp } from '../../event/events.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { WatchContext } from './watch-context.ts';

/** Until then an announcement has reached the viewers: before a warning does, which repeats the cursor that it gives. */
const ANNOUNCED_MS = 200;

/**
 * Tells the start as the workflow's library will, where there is no log yet. The log's note says that it is a guess;
 * should the workflow say otherwise, a new epoch begins.
 * @returns whether it was told.
 */
export async function startProvisionally(
  { copy, log, executionId, signal }: WatchContext,
  run: WorkflowRun,
): Promise<boolean> {
  if (copy.epoch !== '' || (await log.head(executionId))) return false;
  const { workflowId, workflowType, runId, startedAt, attempt } = run;
  const incarnation = { epoch: runId, runId, runStartedAt: startedAt, attempt, isProvisional: true };
  if ((await copy.enter(incarnation)) !== 'done') return false;
  const ts = timestamp(new Date(startedAt));
  await copy.append([{ seq: 1, type: 'workflow_start', ts, data: { workflowId, workflowType, runId } }]);
  await delay(ANNOUNCED_MS, signal);
  return true;
}
