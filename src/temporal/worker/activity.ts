// An activity that is the work of an agent or a task: its execution is begun, kept alive, and ended with it.
import type { Context } from '@temporalio/activity';
import { isExecstreamError } from '../../event/errors.ts';
import type { FailedStatus } from '../../event/events.ts';
import type { BeginRun } from '../../publish/begin-run.ts';
import type { ExecutionPublisher } from '../../publish/execution-publisher.ts';
import type { Publisher } from '../../publish/publisher.ts';
import { activityWillRetry } from '../shared/retry-policy.ts';
import { createNoopRun } from './noop-run.ts';

/** What is begun. Attempt, workflow and run are the activity's own. */
export interface PublishActivityOptions
  extends Omit<BeginRun, 'id' | 'kind' | 'attempt' | 'workflowId' | 'runId'> {
  readonly kind: 'agent' | 'task';
  /** By default made of the workflow's id, the activity's type and id, and the run. */
  readonly id?: string;
  /** By default the id of the workflow that scheduled the activity, which is its execution's. */
  readonly parentId?: string;
}

/** What the work gets besides its run. */
export interface ActivityRun {
  /**
   * Aborts when the work is in vain: the activity was cancelled, timed out or its worker stops; or another attempt
   * has the execution.
   */
  readonly signal: AbortSignal;
  /** Temporal's heartbeat, with a checkpoint. Heartbeats by themselves go out anyway, and repeat the last checkpoint. */
  heartbeat(checkpoint?: unknown): void;
}

export type ActivityWork<T> = (run: ExecutionPublisher, activity: ActivityRun) => Promise<T>;

/** A third of the timeout, but no seldomer. */
const LONGEST_PAUSE_MS = 10_000;

/**
 * Runs the work of the current activity as an execution of its own, under its workflow's:
 *
 *   returns                       ends it: in mode TEXT with the text that was published, in mode STRUCTURED with what
 *                                 the work returned, else its last value (unless the work called `complete` itself)
 *   throws, and will be retried   gives this attempt up (`warning` ATTEMPT_FAILED); the next one goes on in its stream
 *   throws for good               `error`, FAILED
 *   is cancelled                  `error`, CANCELED, where its workflow wanted it so or has closed; else as above
 *
 * Where the execution has ended already (the attempt before ended it, and its worker died before it could tell
 * Temporal), the work runs once more and publishes nothing.
 * @returns what the work returns; throws what it throws.
 * @throws ExecstreamError `SUPERSEDED`, `BAD_USER_INPUT`, `FORBIDDEN` where the execution cannot be begun.
 */
export async function publishActivity<T>(
  publisher: Publisher,
  options: PublishActivityOptions,
  work: ActivityWork<T>,
): Promise<T> {
  // Loaded here, so that workers without Temporal can do without the package.
  const { Context } = await import('@temporalio/activity');
  const context = Context.current();
  const beating = keepBeating(context);
  try {
    const run = await begin(publisher, options, context);
    const signal = AbortSignal.any([run.signal, context.cancellationSignal]);
    try {
      const result = await work(run, { signal, heartbeat: beating.heartbeat });
      await run.complete(run.mode === 'STRUCTURED' && result !== undefined ? result : undefined);
      return result;
    } catch (error) {
      await tellFailure(run, error, context);
      throw error;
    }
  } finally {
    beating.stop();
  }
}

async function begin(
  publisher: Publisher,
  options: PublishActivityOptions,
  { info }: Context,
): Promise<ExecutionPublisher> {
  const { workflowId, runId } = info.workflowExecution ?? {};
  const { attempt } = info;
  const parentId = options.parentId ?? workflowId;
  const id = options.id ?? defaultId(info);
  const { kind, mode = 'TEXT' } = options;
  try {
    return await publisher.begin({
      ...options,
      id,
      attempt,
      ...(parentId !== undefined && { parentId }),
      ...(workflowId !== undefined && { workflowId }),
      ...(runId !== undefined && { runId }),
    });
  } catch (error) {
    if (!isExecstreamError(error, 'ENDED')) throw error;
    return createNoopRun({ id, kind, mode, attempt });
  }
}

/** Unique, and the same in each attempt. An activity's id is unique in its run alone. */
function defaultId({ workflowExecution, activityType, activityId, activityRunId }: Context['info']): string {
  const run = workflowExecution?.runId ?? activityRunId ?? '';
  const own = `${activityType}-${activityId}-${run.slice(-8)}`.replace(/[^A-Za-z0-9._:~@+-]/g, '-');
  return `${workflowExecution ? `${workflowExecution.workflowId.slice(0, 100)}/` : ''}${own.slice(-99)}`;
}

async function tellFailure(run: ExecutionPublisher, error: unknown, context: Context): Promise<void> {
  const { cancellationSignal, cancellationDetails, info } = context;
  const isCanceled = cancellationSignal.aborted && isCancellation(error, cancellationSignal);
  if (isCanceled && cancellationDetails?.cancelRequested) {
    await run.fail(error, { status: 'CANCELED' });
  } else if (isCanceled && cancellationDetails?.notFound) {
    const status = await endOfWorkflow(context);
    if (status) await run.fail('its workflow has ended', { status });
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
 * Temporal knows this attempt no more: its workflow has closed and no attempt will follow, or it has timed out and
 * another one may.
 * @returns how work that was left by a workflow which has closed has ended; undefined where the workflow runs on, or
 *   that cannot be found out.
 */
async function endOfWorkflow({ client, info }: Context): Promise<FailedStatus | undefined> {
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

/** Whether the work stopped because it was told to. */
function isCancellation(error: unknown, signal: AbortSignal): boolean {
  const { name } = (error ?? {}) as { name?: unknown };
  return error === signal.reason || name === 'CancelledFailure' || name === 'AbortError';
}

/** Heartbeats, where Temporal awaits any: they also bring the news of a cancellation. */
function keepBeating(context: Context): { heartbeat(checkpoint?: unknown): void; stop(): void } {
  const { heartbeatTimeoutMs, heartbeatDetails } = context.info;
  // A heartbeat without details would wipe out the checkpoint of the attempt before.
  let last: unknown = heartbeatDetails;
  const beat = (): void => context.heartbeat(last);
  const timer =
    heartbeatTimeoutMs !== undefined && heartbeatTimeoutMs > 0
      ? setInterval(beat, Math.min(heartbeatTimeoutMs / 3, LONGEST_PAUSE_MS))
      : undefined;
  if (timer) beat();
  return {
    heartbeat(checkpoint) {
      if (checkpoint !== undefined) last = checkpoint;
      beat();
    },
    stop: () => clearInterval(timer),
  };
}
