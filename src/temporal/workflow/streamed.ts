// Wraps a workflow function, so that its return, its failure or its cancellation becomes the one terminal event.
import {
  CancellationScope,
  ContinueAsNew,
  isCancellation,
  TemporalFailure,
  workflowInfo,
} from '@temporalio/workflow';
import { workflowWillRetry } from '../shared/retry-policy.ts';
import { isCarriedStream } from './carry-over.ts';
import { errorCause } from './error-cause.ts';
import { observe } from './observe.ts';
import type { StreamState, StreamStateOptions } from './options.ts';
import { createStreamState } from './stream-state.ts';

/**
 * Creates a workflow that streams:
 *
 *   export const digest = streamed(async (stream, topic: string) => { stream.status('RUNNING', 'reading'); … });
 *
 * The stream starts before `run` is called and ends when `run` settles, in the same workflow task:
 *
 *   returns                         `complete`, with the returned value
 *   throws a Temporal failure       `error`, FAILED; a `warning` ATTEMPT_FAILED if Temporal will retry the workflow
 *   rethrows a cancellation         `error`, CANCELED
 *   continues as new                nothing: the next run continues the stream
 *   a cron run ends                 the status WAITING: the next run restarts the stream
 *   throws any other error          nothing: Temporal retries the workflow task until the code is fixed
 *
 * A workflow cannot observe its own timeout or termination; the server emits the terminal event for those.
 *
 * The workflow keeps the name and the properties of `run`. A client that starts it by the function itself needs a name, as
 * in `streamed(async function digest(stream) { … })`.
 * @param run receives the stream and then the workflow's arguments.
 */
export function streamed<A extends unknown[], R>(
  run: (stream: StreamState, ...args: A) => Promise<R>,
  options: Omit<StreamStateOptions, 'carried'> = {},
): (...args: A) => Promise<R> {
  const workflow = (...allArgs: A): Promise<R> => {
    const last = allArgs.at(-1);
    const carried = isCarriedStream(last) ? last : undefined;
    const args = (carried ? allArgs.slice(0, -1) : allArgs) as A;
    const stream = createStreamState({ ...options, carried });
    return observe(
      () => run(stream, ...args),
      (result) => {
        if (isCron()) stream.status('WAITING', 'next cron run');
        else stream.complete(result);
      },
      (error) => emitFailure(stream, error),
    );
  };
  // With its properties, such as those of `setWorkflowOptions`. Clients that start a workflow by its function use its name.
  return Object.defineProperty(Object.assign(workflow, run), 'name', { value: run.name });
}

function emitFailure(stream: StreamState, error: unknown): void {
  if (error instanceof ContinueAsNew) return;
  // Temporal's own rule: a cancellation counts as one only if the workflow itself was cancelled.
  if (isCancellation(error) && CancellationScope.current().consideredCancelled) {
    stream.fail(error, 'CANCELED');
  } else if (error instanceof TemporalFailure) {
    const { message } = errorCause(error);
    if (workflowWillRetry(error, workflowInfo(), Date.now())) stream.warning('ATTEMPT_FAILED', message);
    else if (isCron()) {
      stream.warning('RUN_FAILED', message);
      stream.status('WAITING', 'next cron run');
    } else stream.fail(error);
  }
}

function isCron(): boolean {
  return Boolean(workflowInfo().cronSchedule);
}
