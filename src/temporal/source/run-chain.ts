// Which run of a workflow to watch, and which one goes on when it has closed.
import type { Execution } from '../../execution/store.ts';
import { type Close, closeOf } from './close-event.ts';
import { isTemporalError } from './errors.ts';
import type { TemporalClient, WorkflowRef, WorkflowRun } from './temporal-client.ts';

/** Runs that are walked through, from the chain's first to its last. */
const MOST_RUNS = 10_000;

/**
 * The run to begin with.
 * @param noted the run that the log's numbers are of, where they are those of its history.
 * @throws TemporalError `unknown-workflow` where Temporal has none of them.
 */
export async function openRun(
  temporal: TemporalClient,
  ref: WorkflowRef,
  row: Execution,
  noted: string | undefined,
): Promise<WorkflowRun> {
  if (noted !== undefined) {
    try {
      return await temporal.describe({ ...ref, runId: noted });
    } catch (error) {
      if (!isTemporalError(error, 'unknown-workflow')) throw error;
    }
  }
  const given = ref.runId ?? row.runId;
  const current = await temporal.describe({ namespace: ref.namespace, workflowId: ref.workflowId });
  if (given === undefined || given === current.firstRunId || given === current.runId) return current;
  // Another workflow has the id by now: ours is the chain that began with the row's run.
  let run = await temporal.describe({ ...ref, runId: given });
  for (let runs = 0; runs < MOST_RUNS && !run.isOpen; runs += 1) {
    const page = await temporal.history({ run, isCloseOnly: true });
    const close = page.events.map(closeOf).find((found) => found !== undefined);
    const next = close && (await nextRun(temporal, run, close));
    if (!next) break;
    run = next;
  }
  return run;
}

/**
 * The run that goes on after one that has closed; undefined where the workflow has ended.
 * A reset terminates the run (or finds it closed) and begins another of the same chain, which nothing in the closed
 * run's history names: the workflow's current run is looked at.
 */
export async function nextRun(
  temporal: TemporalClient,
  run: WorkflowRun,
  close: Close,
): Promise<WorkflowRun | undefined> {
  const { namespace, workflowId } = run;
  if (close.nextRunId) {
    try {
      return await temporal.describe({ namespace, workflowId, runId: close.nextRunId });
    } catch (error) {
      if (isTemporalError(error, 'unknown-workflow')) return undefined;
      throw error;
    }
  }
  if (close.status !== 'TERMINATED') return undefined;
  const current = await temporal.describe({ namespace, workflowId });
  const isReset = current.runId !== run.runId && current.firstRunId === run.firstRunId;
  return isReset && current.startedAt >= run.startedAt ? current : undefined;
}
