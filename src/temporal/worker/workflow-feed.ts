// Sends the events of one workflow from its sink to its log, one append at a time.
//
// The stream is complete without it: the server reads dropped events by the query. So the feed gives up early and
// never delays the workflow.
import { delay } from '../../async/delay.ts';
import { isExecstreamError } from '../../event/errors.ts';
import { backoffMs } from '../../publish/retry.ts';
import {
  type Appended,
  type AppendOutcome,
  createSinkAppender,
  type SinkAppenderOptions,
} from './sink-appender.ts';
import { createSinkQueue } from './sink-queue.ts';
import type { RunSinkEvent } from './sink-target.ts';

/** How often a batch is retried while events before it are missing: another worker may be about to append them. */
const MAX_GAP_RETRIES = 5;

export interface WorkflowFeedOptions extends SinkAppenderOptions {
  /** Aborts when the sinks close. */
  readonly closing: AbortSignal;
  /** An event left the queue. */
  onRemoved(bytes: number, isDropped: boolean): void;
}

export interface WorkflowFeed {
  push(event: RunSinkEvent): void;
  /** Drops everything that waits. */
  drop(): void;
  /** Resolves when nothing waits. */
  readonly idle: Promise<void>;
  readonly isIdle: boolean;
  readonly last: Appended | undefined;
}

/** What becomes of a batch. */
type Step = 'appended' | 'dropped' | 'retry';

export function createWorkflowFeed(options: WorkflowFeedOptions): WorkflowFeed {
  const { logger, closing, onRemoved } = options;
  const queue = createSinkQueue(onRemoved);
  const appender = createSinkAppender(options);
  let pumping: Promise<void> | undefined;

  async function pump(): Promise<void> {
    let failures = 0;
    // After the first batch that gave up on a gap, the next ones do not wait again until the log has caught up.
    let hasGivenUp = false;
    while (!queue.isEmpty) {
      const batch = queue.batch();
      const outcome = await append(batch);
      const isGapFinal: boolean = outcome === 'gap' && (hasGivenUp || failures >= MAX_GAP_RETRIES);
      const step = stepOf(outcome, isGapFinal);
      if (step !== 'retry') {
        queue.remove(batch, step === 'dropped');
        failures = 0;
        hasGivenUp = isGapFinal;
      } else if (closing.aborted) {
        queue.drop();
      } else {
        failures += 1;
        await delay(backoffMs(failures), closing);
      }
    }
  }

  async function append(batch: readonly RunSinkEvent[]): Promise<AppendOutcome> {
    try {
      return await appender.append(batch);
    } catch (err) {
      if (isExecstreamError(err) && err.retryable) return 'retry';
      logger.warn({ executionId: batch[0]!.executionId, err }, 'could not append the events of a workflow');
      return 'skipped';
    }
  }

  function start(): void {
    // In the next microtask: the other events of this workflow task then join the same batch.
    pumping ??= Promise.resolve()
      .then(pump)
      .finally(() => {
        pumping = undefined;
        if (!queue.isEmpty) start();
      });
  }

  return {
    push(event) {
      queue.push(event);
      start();
    },
    drop: queue.drop,
    get idle() {
      return pumping ?? Promise.resolve();
    },
    get isIdle() {
      return pumping === undefined;
    },
    get last() {
      return appender.last;
    },
  };
}

function stepOf(outcome: AppendOutcome, isGapFinal: boolean): Step {
  if (outcome === 'done') return 'appended';
  return outcome === 'skipped' || isGapFinal ? 'dropped' : 'retry';
}
