// Wraps a workflow function, so that its return, its failure or its cancellation becomes the one terminal event.
import {
  CancellationScope,
  ContinueAsNew,
  isCancellation,
  TemporalFailure,
  workflowInfo,
} from '@temporalio/workflow';
import { workflowWillRetry } from '../shared/workflow-will-retry.ts';
import { isCarriedStream } from './carry-over.ts';
import { innermostMessage } from './error-cause.ts';
import type { StreamState, StreamStateOptions } from './options.ts';
import { createStreamState } from './stream-state.ts';

/**
 * Makes a workflow that streams:
 *
 *   export const digest = streamed(async (stream, topic: string) => { stream.status('RUNNING', 'reading'); … });
 *
 * The stream begins before `run` is called and ends when it settles, in the same workflow task:
 *
 *   returns                             `complete`, with what it returned
 *   throws a failure of Temporal's      `error`, FAILED; a `warning` ATTEMPT_FAILED where Temporal will retry the workflow
 *   is cancelled and lets it through    `error`, CANCELED
 *   continues as new                    nothing: the next run goes on
 *   a cron run is over                  the status WAITING: the next run begins the stream anew
 *   throws any other error              nothing: Temporal runs the workflow task again until the code is mended
 *
 * Timeouts and terminations cannot be seen from inside; who watches the workflow tells those.
 * @param run is given the stream and then the workflow's arguments.
 */
export function streamed<A extends unknown[], R>(
  run: (stream: StreamState, ...args: A) => Promise<R>,
  options: Omit<StreamStateOptions, 'carried'> = {},
): (...args: A) => Promise<R> {
  const workflow = async (...given: A): Promise<R> => {
    const last = given.at(-1);
    const carried = isCarriedStream(last) ? last : undefined;
    const args = (carried ? given.slice(0, -1) : given) as A;
    const stream = createStreamState({ ...options, carried });
    try {
      const result = await run(stream, ...args);
      if (isCron()) stream.status('WAITING', 'next cron run');
      else stream.complete(result);
      return result;
    } catch (error) {
      tellFailure(stream, error);
      throw error;
    }
  };
  // A client that is given the function itself goes by its name.
  return Object.defineProperty(workflow, 'name', { value: run.name });
}

function tellFailure(stream: StreamState, error: unknown): void {
  if (error instanceof ContinueAsNew) return;
  // As Temporal judges: a cancellation counts as one only where the workflow itself was cancelled.
  if (isCancellation(error) && CancellationScope.current().consideredCancelled) {
    stream.fail(error, 'CANCELED');
  } else if (error instanceof TemporalFailure) {
    if (workflowWillRetry(error, workflowInfo(), Date.now()))
      stream.warning('ATTEMPT_FAILED', innermostMessage(error));
    else if (isCron()) {
      stream.warning('RUN_FAILED', innermostMessage(error));
      stream.status('WAITING', 'next cron run');
    } else stream.fail(error);
  }
}

function isCron(): boolean {
  return Boolean(workflowInfo().cronSchedule);
}
