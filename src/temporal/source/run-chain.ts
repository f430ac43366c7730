// Which run of a workflow to watch, and which one follows when it has closed.
import type { Execution } from '../../execution/store.ts';
import { type CloseEvent, parseCloseEvent } from '../shared/close-event.ts';
import { isTemporalError } from './errors.ts';
import type { TemporalClient, WorkflowRef, WorkflowRun } from './temporal-client.ts';

/** The longest chain that is followed from its first run to its last. */
const MAX_RUNS = 10_000;
/** The most runs before the current one that are read for a log without events. */
const MAX_CONTINUED = 100;
/** The most events of their histories. A log keeps as many. */
const MAX_EVENTS = 50_000;

/**
 * The run to start with: the one that the reference names, or one of the row's chain.
 * @param notedRunId the run that the log's note names, if the log is numbered by that run's history.
 * @throws TemporalError `unknown-workflow` if Temporal has no such run.
 */
export async function openRun(
  temporal: TemporalClient,
  ref: WorkflowRef,
  row: Execution,
  notedRunId: string | undefined,
): Promise<WorkflowRun> {
  if (ref.runId !== undefined) return temporal.describe(ref);
  if (notedRunId !== undefined) {
    try {
      return await temporal.describe({ ...ref, runId: notedRunId });
    } catch (error) {
      if (!isTemporalError(error, 'unknown-workflow')) throw error;
    }
  }
  const { runId } = row;
  const current = await temporal.describe(ref);
  if (runId === undefined || runId === current.firstRunId || runId === current.runId) return current;
  // A later workflow has the same id: ours is the chain that started with the row's run.
  let run = await temporal.describe({ ...ref, runId });
  for (let runs = 0; runs < MAX_RUNS && !run.isOpen; runs += 1) {
    const page = await temporal.history({ run, isCloseOnly: true });
    const close = page.events.map(parseCloseEvent).find((event) => event !== undefined);
    const next = close && (await nextRun(temporal, run, close));
    if (!next) break;
    run = next;
  }
  return run;
}

/**
 * The first of the runs that continued as new up to this one, as far as Temporal keeps them, and up to 100 runs with 50,000
 * events.
 */
export async function firstContinuedRun(temporal: TemporalClient, run: WorkflowRun): Promise<WorkflowRun> {
  let first = run;
  let events = run.historyLength;
  for (let runs = 0; runs < MAX_CONTINUED && first.continues !== undefined; runs += 1) {
    let previous: WorkflowRun;
    try {
      previous = await temporal.describe({ ...run, runId: first.continues });
    } catch (error) {
      if (isTemporalError(error, 'unknown-workflow')) break;
      throw error;
    }
    events += previous.historyLength;
    if (events > MAX_EVENTS) break;
    first = previous;
  }
  return first;
}

/**
 * The run that follows one that has closed; undefined if the workflow has ended.
 * A reset terminates the run (or finds it closed) and starts another of the same chain. The history of the closed run
 * does not name it, so the workflow's current run is checked.
 */
export async function nextRun(
  temporal: TemporalClient,
  run: WorkflowRun,
  close: CloseEvent,
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
