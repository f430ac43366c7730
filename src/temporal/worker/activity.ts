// An activity that publishes an agent or a task: begins its execution, sends heartbeats, and ends it.
import type { Context } from '@temporalio/activity';
import { isExecstreamError, requireObject } from '../../event/errors.ts';
import type { FailedStatus } from '../../event/events.ts';
import { startOf } from '../../event/text.ts';
import type { BeginRun } from '../../publish/begin-run.ts';
import type { ExecutionPublisher } from '../../publish/execution-publisher.ts';
import { isAbortError } from '../../publish/llm/stream-errors.ts';
import { createNoopRun } from '../../publish/noop-run.ts';
import type { Publisher } from '../../publish/transport-publisher.ts';
import { activityWillRetry } from '../shared/retry-policy.ts';

/** The execution to begin. Attempt, workflow and run are those of the activity. */
export interface PublishActivityOptions
  extends Omit<BeginRun, 'id' | 'kind' | 'attempt' | 'workflowId' | 'runId'> {
  readonly kind: 'agent' | 'task';
  /** @default derived from the workflow's id, the activity's type and id, and the run */
  readonly id?: string;
  /** @default the id of the workflow that scheduled the activity */
  readonly parentId?: string;
}

/** What the work receives in addition to its run. */
export interface ActivityRun {
  /**
   * Aborts when the result will not be used: the activity was cancelled or timed out, its worker stops, or another
   * attempt took over the execution.
   */
  readonly signal: AbortSignal;
  /** Sends a Temporal heartbeat with a checkpoint. Automatic heartbeats repeat the last checkpoint. */
  heartbeat(checkpoint?: unknown): void;
}

export type ActivityWork<T> = (run: ExecutionPublisher, activity: ActivityRun) => Promise<T>;

/**
 * Loaded on demand, so that a worker without Temporal does not need the package, and by a name that bundlers do not
 * follow: only the copy that Temporal's worker uses knows the current activity.
 */
const ACTIVITY_PACKAGE: string = '@temporalio/activity';

/** The longest interval between heartbeats; otherwise a third of the heartbeat timeout. */
const MAX_HEARTBEAT_MS = 10_000;

/**
 * Runs the work of the current activity as a child execution of its workflow's:
 *
 *   returns                         `complete`: in mode TEXT with the published text, in mode STRUCTURED with the
 *                                   returned value or else the last published one (unless the work called `complete`)
 *   throws, and will be retried     abandons the attempt (`warning` ATTEMPT_FAILED); the next one continues the stream
 *   throws, and is not retried      `error`, FAILED
 *   is cancelled                    `error`, CANCELED, if its workflow requested it or has closed; otherwise as above
 *
 * If the execution has already ended (a previous attempt ended it, and its worker died before it reported to Temporal),
 * the work runs again and publishes nothing. It also runs if the execution cannot begin for another reason, which
 * `run.error` says; its signal aborts if a newer attempt has the execution.
 * @returns what the work returned.
 * @throws what the work throws; ExecstreamError `CONFIG` without a publisher; with a publisher that is `strict`,
 *   `SUPERSEDED`, `BAD_USER_INPUT` or `FORBIDDEN` if the execution cannot begin.
 */
export async function publishActivity<T>(
  publisher: Publisher,
  options: PublishActivityOptions,
  work: ActivityWork<T>,
): Promise<T> {
  requireObject('publisher', publisher, 'the publisher that createPublisher() returns');
  const { Context } = (await import(
    /* webpackIgnore: true */ ACTIVITY_PACKAGE
  )) as typeof import('@temporalio/activity');
  const context = Context.current();
  const heartbeats = startHeartbeats(context);
  try {
    const run = await begin(publisher, options, context.info);
    const signal = AbortSignal.any([run.signal, context.cancellationSignal]);
    try {
      const result = await work(run, { signal, heartbeat: heartbeats.send });
      await run.complete(run.mode === 'STRUCTURED' && result !== undefined ? result : undefined);
      return result;
    } catch (error) {
      await endFailed(run, error, context);
      throw error;
    }
  } finally {
    heartbeats.stop();
  }
}

async function begin(
  publisher: Publisher,
  options: PublishActivityOptions,
  info: Context['info'],
): Promise<ExecutionPublisher> {
  const request = requestOf(options, info);
  try {
    const run = await publisher.begin(request);
    return isExecstreamError(run.error, 'ENDED') ? endedRun(request) : run;
  } catch (error) {
    // Of a strict publisher.
    if (!isExecstreamError(error, 'ENDED')) throw error;
    return endedRun(request);
  }
}

function requestOf(options: PublishActivityOptions, info: Context['info']): BeginRun {
  const { workflowId, runId } = info.workflowExecution ?? {};
  const parentId = options?.parentId ?? workflowId;
  return {
    ...options,
    id: options?.id ?? defaultId(info),
    attempt: info.attempt,
    ...(parentId !== undefined && { parentId }),
    ...(workflowId !== undefined && { workflowId }),
    ...(runId !== undefined && { runId }),
  };
}

/** Temporal retries work whose execution has ended, and needs its result: the signal does not abort. */
function endedRun({ id, kind, mode = 'TEXT', attempt }: BeginRun): ExecutionPublisher {
  return createNoopRun({ id, kind, mode, attempt, state: 'ended', isEndRecorded: true });
}

/** Unique, and the same for each attempt. The id of an activity is unique within its run only. */
function defaultId({ workflowExecution, activityType, activityId, activityRunId }: Context['info']): string {
  const run = workflowExecution?.runId ?? activityRunId ?? '';
  const suffix = `${activityType}-${activityId}-${run.slice(-8)}`.replace(/[^A-Za-z0-9._:~@+-]/g, '-');
  return `${workflowExecution ? `${startOf(workflowExecution.workflowId, 100)}/` : ''}${suffix.slice(-99)}`;
}

/** Ends or abandons the run after its work threw. */
async function endFailed(run: ExecutionPublisher, error: unknown, context: Context): Promise<void> {
  const { cancellationSignal, cancellationDetails, info } = context;
  const isCanceled = cancellationSignal.aborted && isCancellation(error, cancellationSignal);
  if (isCanceled && cancellationDetails?.cancelRequested) {
    await run.fail(error, { status: 'CANCELED' });
  } else if (isCanceled && cancellationDetails?.notFound) {
    const status = await workflowEndStatus(context);
    if (status) await run.fail('the workflow has ended', { status });
    else await run.abandon(error);
  } else if (isCanceled && (cancellationDetails?.paused || cancellationDetails?.reset)) {
    await run.abandon(error);
  } else if (activityWillRetry(error, info, Date.now())) {
    await run.abandon(error);
  } else {
    await run.fail(error, cancellationDetails?.timedOut ? { status: 'TIMED_OUT' } : {});
  }
}

/**
 * Temporal no longer knows this attempt: either its workflow has closed and no attempt will follow, or the attempt has
 * timed out and another one may follow.
 * @returns the status for the work of a workflow that has closed; undefined if the workflow is open, or cannot be
 *   described.
 */
async function workflowEndStatus({ client, info }: Context): Promise<FailedStatus | undefined> {
  if (!info.workflowExecution) return undefined;
  const { workflowId, runId } = info.workflowExecution;
  try {
    const { status } = await client.workflow.getHandle(workflowId, runId).describe();
    if (status.name === 'RUNNING' || status.name === 'PAUSED') return undefined;
    return status.name === 'TERMINATED' || status.name === 'TIMED_OUT' ? status.name : 'CANCELED';
  } catch {
    return undefined;
  }
}

/** Whether the work stopped because of its abort signal. */
function isCancellation(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || isAbortError(error);
}

/** Sends heartbeats if the activity has a heartbeat timeout. Their responses also report a cancellation. */
function startHeartbeats(context: Context): { send(checkpoint?: unknown): void; stop(): void } {
  const { heartbeatTimeoutMs, heartbeatDetails } = context.info;
  // A heartbeat without details would delete the checkpoint of the previous attempt.
  let lastCheckpoint: unknown = heartbeatDetails;
  const beat = (): void => context.heartbeat(lastCheckpoint);
  const timer =
    heartbeatTimeoutMs !== undefined && heartbeatTimeoutMs > 0
      ? setInterval(beat, Math.min(heartbeatTimeoutMs / 3, MAX_HEARTBEAT_MS))
      : undefined;
  if (timer) beat();
  return {
    send(checkpoint) {
      if (checkpoint !== undefined) lastCheckpoint = checkpoint;
      beat();
    },
    stop: () => clearInterval(timer),
  };
}
