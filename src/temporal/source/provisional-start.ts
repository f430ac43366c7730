// Starts a provisional log for a workflow that cannot be queried yet, so that viewers have a cursor and can receive
// warnings.
import { delay } from '../../async/delay.ts';
import { timestamp } from '../../event/events.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { WatchContext } from './watch-context.ts';

/** Until then the announcement has reached the viewers. It must precede a warning, which repeats its cursor. */
const ANNOUNCED_MS = 200;

/**
 * Appends the start as the workflow's library will emit it, if there is no log yet. The log's note says that it is
 * provisional; if the workflow then reports another start, a new epoch begins.
 * @returns whether the log was started.
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
