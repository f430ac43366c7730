// Sends a run's backlog to the log, one call at a time, whatever the log's response. A call that fails or times out is
// retried with backoff for as long as the run lives. A stopped outbox sends nothing, blocks no caller and has no timer.
// outbox-state.ts has the states of the connection, backlog.ts the invariants of the queued events.
import { createCondition } from '../async/condition.ts';
import { ExecstreamError } from '../event/errors.ts';
import type { NewEvent } from '../event/events.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import type { Position } from '../lifecycle/end-execution.ts';
import type { LogWriter } from '../log/log.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createBacklog } from './backlog.ts';
import { createBackpressure } from './backpressure.ts';
import type { PublisherLimits } from './limits.ts';
import { createLogCalls } from './log-calls.ts';
import { endPositionOf, toRunError } from './log-outcome.ts';
import type { Appending, Opening, OutboxState, Reopening } from './outbox-state.ts';
import * as states from './outbox-state.ts';
import { backoffMs, isRejection, REMIND_MS } from './retry.ts';
import { createSendLoop } from './send-loop.ts';

export interface OutboxOptions {
  readonly log: Pick<LogWriter, 'open' | 'append'>;
  readonly executionId: string;
  readonly limits: PublisherLimits;
  readonly sizes: SizeLimits;
  readonly logger: Logger;
  /** The first event of every epoch of the log. */
  readonly startEvent: NewEvent;
  /** See `ResendState.resendEvents`. */
  resendEvents(queuedUnits: number): NewEvent[];
  /** The log rejects this publisher permanently. The outbox has stopped. */
  onRejected(error: ExecstreamError, endedAt?: Position): void;
}

export interface Outbox {
  /**
   * Opens the log for this attempt and starts sending.
   * @param incarnation of the row, if it is known
   */
  start(attempt: number, incarnation?: string): void;
  /**
   * Queues an event. Never blocks; above `outboxBytes` the queue is dropped first.
   * @param noMerge keeps a chunk from being merged with its neighbours
   */
  push(event: NewEvent, noMerge?: boolean): void;
  /** Resolves when there is room, or after `blockMs`. Never rejects. */
  room(): Promise<void>;
  /** Resolves to true when the log is open, to false after `ms` or when the outbox stops. */
  opened(ms: number): Promise<boolean>;
  /**
   * Sends without waiting for more events. Resolves to true when the log has everything, to false after `ms` or when the
   * outbox stops.
   */
  flush(ms: number): Promise<boolean>;
  stop(): void;
  /** The last event that the log acknowledged. */
  readonly position: Position | undefined;
  /** Bytes that wait, the batch in flight included. */
  readonly bytes: number;
  /** Events that the log has acknowledged. */
  readonly appended: number;
  /** Events other than text and values that were dropped. */
  readonly dropped: number;
  /** The error of the last call, while the log is unavailable. */
  readonly lastError: unknown;
}

export function createOutbox(options: OutboxOptions): Outbox {
  const { log, executionId, limits, sizes, logger, startEvent, resendEvents } = options;
  const condition = createCondition();
  const stopped = new AbortController();
  const calls = createLogCalls({ log, executionId, callMs: limits.callMs, signal: stopped.signal });
  let state: OutboxState = states.WAITING;
  let incarnation: string | undefined;
  /** While there are any, batches are sent immediately. */
  let flushes = 0;
  let appended = 0;
  let dropped = 0;
  let loggedAt = 0;

  const backlog = createBacklog({
    maxBytes: limits.outboxBytes,
    sizes,
    startEvent,
    resendEvents,
    onOverflow(lost) {
      dropped += lost;
      const fields = { executionId, lost, dropped };
      logger.warn(fields, 'outbox full: dropped queued events; text or value will be resent after a reset');
    },
  });
  const isDone = (): boolean => states.positionOf(state) !== undefined && backlog.isEmpty;
  const hasRoom = (): boolean => state.kind === 'stopped' || backlog.bytes < limits.highWaterBytes;
  const backpressure = createBackpressure({ condition, blockMs: limits.blockMs, hasRoom });
  const loop = createSendLoop({ delayMs, step });

  function delayMs(): number | undefined {
    if (!states.isSending(state) || isDone()) return undefined;
    if (state.failures.count > 0) return backoffMs(state.failures.count);
    if (state.kind !== 'appending' || flushes > 0) return 0;
    return Math.min(limits.batchMs, Math.max(0, backlog.since + limits.batchMs - Date.now()));
  }

  async function step(): Promise<void> {
    if (!states.isSending(state)) return;
    const failures = state.failures.count;
    try {
      await (state.kind === 'appending' ? append(state) : open(state));
      if (failures > 1 && states.isSending(state))
        logger.info({ executionId, failures }, 'log available again');
    } catch (error) {
      onFailure(error);
    }
    condition.notify();
  }

  /** Stopping aborts the call in flight, which is no failure. */
  function onFailure(error: unknown): void {
    if (state.kind === 'stopped') return;
    if (isRejection(error)) {
      reject(error);
      return;
    }
    state = states.failed(state, error);
    const { count } = states.failuresOf(state);
    const isDue = count === 2 || (count > 2 && Date.now() - loggedAt >= REMIND_MS);
    if (isDue) {
      loggedAt = Date.now();
      logger.warn({ executionId, err: error }, 'log unavailable: queueing events and retrying');
    }
  }

  async function open(opening: Opening | Reopening): Promise<void> {
    const result = await calls.open(opening, incarnation);
    if (result.outcome !== 'opened') return reject(toRunError(result), endPositionOf(result, undefined));
    const { epoch, head } = result.head;
    state = states.opened(state, { epoch, seq: head });
    if (opening.kind === 'opening') return;
    if (opening.position.epoch === epoch) {
      // Same epoch after reopening: nothing was lost. Back off anyway, so that a flapping log is not retried in a tight
      // loop.
      throw new ExecstreamError('LOG_LOST', 'log reappeared with the same epoch; retrying');
    }
    logger.warn({ executionId }, 'log lost: resending text or value to a new epoch');
    backlog.restart();
  }

  async function append(appending: Appending): Promise<void> {
    const batch = backlog.next();
    if (!batch) return;
    const result = await calls.append(appending, batch);
    if (result.outcome === 'lost') {
      state = states.lost(state);
    } else if (result.outcome === 'appended') {
      state = states.appended(state, result.head);
      appended += batch.items.length;
      backlog.acknowledge();
      backpressure.progress();
    } else {
      reject(toRunError(result), endPositionOf(result, appending.position.epoch));
    }
  }

  function reject(error: ExecstreamError, endedAt?: Position): void {
    stop();
    options.onRejected(error, endedAt);
  }

  function stop(): void {
    state = states.stop(state);
    loop.stop();
    stopped.abort();
    backlog.clear();
    condition.close();
  }

  return {
    start(attempt, begun) {
      incarnation = begun;
      state = states.start(state, attempt);
      loop.schedule();
    },
    push(event, noMerge) {
      if (state.kind === 'stopped') return;
      backlog.push(event, noMerge);
      loop.schedule();
    },
    room: backpressure.room,
    opened: (ms) => condition.wait(() => states.positionOf(state) !== undefined, ms),
    async flush(ms) {
      flushes += 1;
      // A retry keeps its backoff.
      if (states.failuresOf(state).count === 0) loop.reschedule();
      try {
        return await condition.wait(isDone, ms);
      } finally {
        flushes -= 1;
      }
    },
    stop,
    get position() {
      return states.positionOf(state);
    },
    get bytes() {
      return backlog.bytes;
    },
    get appended() {
      return appended;
    },
    get dropped() {
      return dropped;
    },
    get lastError() {
      return states.failuresOf(state).lastError;
    },
  };
}
