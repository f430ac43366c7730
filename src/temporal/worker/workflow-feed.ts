// One workflow's events on their way from the sink to its log: a queue, and one append in flight.
//
// Nothing here is needed for the stream to be whole: what is dropped, the relay brings by the query. So the queue
// gives up early and never in the workflow's way.

import { delay } from '../../async/delay.ts';
import { isExecstreamError } from '../../event/errors.ts';
import type { ExecutionStore } from '../../execution/store.ts';
import { type LogWriter, MAX_BATCH_BYTES } from '../../log/log.ts';
import { backoffMs } from '../../publish/retry.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { beginRow, type LogTarget, progressNote, type RunSinkEvent, resolveTarget } from './sink-target.ts';

/** How often a batch is tried again where events before it are missing: they may be in flight on another worker. */
const AHEAD_TRIES = 5;
const MAX_BATCH_EVENTS = 200;
/** Of one envelope besides the event. */
const ENVELOPE_BYTES = 100;

export interface WorkflowFeedOptions {
  readonly log: LogWriter;
  readonly store: Pick<ExecutionStore, 'begin'>;
  readonly logger: Logger;
  /** Aborted when the sinks close. */
  readonly closing: AbortSignal;
  /** Bytes have left the queue. */
  onLeft(bytes: number, isDropped: boolean): void;
}

export interface WorkflowFeed {
  /** Puts an event behind the others; of a workflow task that is run again, in the place of what it said before. */
  push(sunk: RunSinkEvent): void;
  /** Lets go of all that waits. */
  drop(): void;
  /** Resolves when nothing waits. */
  readonly idle: Promise<void>;
  readonly isIdle: boolean;
  /** Where the last append of an epoch went, with the log's epoch and head. */
  readonly last: { readonly logEpoch: string; readonly epoch: string; readonly head: number } | undefined;
}

type Outcome = 'done' | 'again' | 'ahead' | 'left';

export function createWorkflowFeed({
  log,
  store,
  logger,
  closing,
  onLeft,
}: WorkflowFeedOptions): WorkflowFeed {
  const queue: RunSinkEvent[] = [];
  let pumping: Promise<void> | undefined;
  let place: LogTarget | undefined;
  let last: WorkflowFeed['last'];
  /** The run whose row was begun from here. */
  let begun: string | undefined;
  /** A log whose events contradict ours; the relay begins another. */
  let contested: string | undefined;
  /** What was told of already, so that each reason is logged once. */
  let told: string | undefined;

  function take(): RunSinkEvent[] {
    const first = queue[0]!;
    let bytes = 0;
    const end = queue.findIndex((sunk, i) => {
      bytes += sunk.bytes + ENVELOPE_BYTES;
      const isNext = sunk.epoch === first.epoch && sunk.event.seq === first.event.seq + i;
      return i > 0 && (!isNext || bytes > MAX_BATCH_BYTES || i >= MAX_BATCH_EVENTS);
    });
    return queue.slice(0, end < 0 ? undefined : end);
  }

  function leave(batch: readonly RunSinkEvent[], isDropped: boolean): void {
    for (const sunk of batch) {
      const at = queue.indexOf(sunk);
      if (at < 0) continue;
      queue.splice(at, 1);
      onLeft(sunk.bytes, isDropped);
    }
  }

  function leaveToRelay(executionId: string, why: string): Outcome {
    if (told !== why) logger.info({ executionId }, `left to the relay: ${why}`);
    told = why;
    return 'left';
  }

  async function begin(sunk: RunSinkEvent): Promise<void> {
    if (begun === sunk.run.runId) return;
    await beginRow(store, sunk);
    begun = sunk.run.runId;
  }

  async function deliver(batch: readonly RunSinkEvent[]): Promise<Outcome> {
    const first = batch[0]!;
    const { executionId, epoch, run } = first;
    if (place?.epoch !== epoch) {
      place = undefined;
      const found = await resolveTarget(log, first, () => begin(first));
      if ('left' in found) return leaveToRelay(executionId, found.left);
      if (found.logEpoch === contested) return leaveToRelay(executionId, 'the log says otherwise');
      place = found;
    }
    const { logEpoch } = place;
    const newest = batch.at(-1)!;
    const result = await log.append(executionId, {
      epoch: logEpoch,
      acknowledged: 0,
      attempt: run.attempt,
      events: batch.map(({ event }) => event),
      ...progressNote(place, newest),
    });
    switch (result.outcome) {
      case 'appended':
        place = { ...place, runId: newest.run.runId };
        last = { logEpoch, epoch, head: newest.event.seq };
        told = undefined;
        return 'done';
      case 'gap':
        return 'ahead';
      case 'lost':
        place = undefined;
        return 'again';
      case 'conflict':
        contested = logEpoch;
        place = undefined;
        return leaveToRelay(executionId, 'the log says otherwise');
      default:
        place = undefined;
        return leaveToRelay(executionId, `the log refuses (${result.outcome})`);
    }
  }

  async function pump(): Promise<void> {
    let failures = 0;
    /** Gave up waiting for events before ours: the next ones do not wait again, until the log has caught up. */
    let isBehind = false;
    while (queue.length > 0) {
      const batch = take();
      const outcome = await deliver(batch).catch((err): Outcome => {
        place = undefined;
        if (isExecstreamError(err, 'SOURCE_UNAVAILABLE')) return 'again';
        logger.warn({ executionId: batch[0]!.executionId, err }, 'a workflow’s events were not appended');
        return 'left';
      });
      const isOver: boolean = outcome === 'ahead' && (isBehind || failures >= AHEAD_TRIES);
      if (outcome === 'done' || outcome === 'left' || isOver) {
        leave(batch, outcome !== 'done');
        failures = 0;
        isBehind = isOver;
        continue;
      }
      failures += 1;
      if (closing.aborted) leave([...queue], true);
      else await delay(backoffMs(failures), closing);
    }
  }

  function start(): void {
    // Not at once: the other events of this workflow task come along in the same batch.
    pumping ??= Promise.resolve()
      .then(pump)
      .finally(() => {
        pumping = undefined;
        if (queue.length > 0) start();
      });
  }

  return {
    push(sunk) {
      const isSaidAgain = ({ epoch, event }: RunSinkEvent) =>
        epoch === sunk.epoch && event.seq >= sunk.event.seq;
      const newest = queue.at(-1);
      if (newest && isSaidAgain(newest)) leave(queue.filter(isSaidAgain), false);
      queue.push(sunk);
      start();
    },
    drop: () => leave([...queue], true),
    get idle() {
      return pumping ?? Promise.resolve();
    },
    get isIdle() {
      return pumping === undefined;
    },
    get last() {
      return last;
    },
  };
}
