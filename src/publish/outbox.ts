// The one loop that brings a run's backlog to the log, whatever the log answers (backlog.ts has the invariants).
// One call of the log at a time. An error or a missing answer is tried again with backoff for as long as the run
// lives. Once stopped, nothing is sent, nobody waits, no timer is left.
import { randomUUID } from 'node:crypto';
import { createCondition } from '../async/condition.ts';
import { ExecstreamError } from '../event/errors.ts';
import type { NewEvent } from '../event/events.ts';
import type { Position } from '../lifecycle/end-execution.ts';
import type { LogWriter } from '../log/log.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createBacklog } from './backlog.ts';
import type { PublisherLimits } from './limits.ts';
import { endPositionOf, toRunError } from './log-outcome.ts';
import { backoffMs, callOnce, isRejection } from './retry.ts';

export interface OutboxOptions {
  readonly log: LogWriter;
  readonly executionId: string;
  readonly limits: PublisherLimits;
  readonly logger: Logger;
  /** The event that begins the stream of a log, whichever incarnation. */
  readonly startEvent: NewEvent;
  /** The events that say again, after a reset, all but the text that is queued (see Held). */
  again(queuedUnits: number): NewEvent[];
  /** The log refuses this publisher for good; the outbox has stopped. */
  onRefused(error: ExecstreamError, end?: Position): void;
}

export interface Outbox {
  /** Opens the log for this attempt, and begins to send. */
  start(attempt: number): void;
  /**
   * Takes an event, always and at once; above the bound, what waits is let go of.
   * @param apart keeps a chunk from being joined with its neighbours.
   */
  push(event: NewEvent, apart?: boolean): void;
  /** Resolves when there is room, or after `blockMs`; never rejects. */
  room(): Promise<void>;
  /** Resolves true when the log has been opened, false after `ms` or when the outbox has stopped. */
  opened(ms: number): Promise<boolean>;
  /** Gathers no longer, and resolves true when the log has everything, false after `ms` or when it has stopped. */
  flush(ms: number): Promise<boolean>;
  stop(): void;
  /** The last event that the log acknowledged. */
  readonly position: Position | undefined;
  /** Bytes that wait, the batch in flight included. */
  readonly bytes: number;
  /** Events that the log has acknowledged. */
  readonly appended: number;
  /** Events other than text and values that were let go of. */
  readonly dropped: number;
}

export function createOutbox(options: OutboxOptions): Outbox {
  const { log, executionId, limits, logger } = options;
  const publisher = randomUUID();
  const waiting = createCondition();
  const stopping = new AbortController();
  let attempt: number | undefined;
  let position: Position | undefined;
  /** The log has told that it was lost and has not been opened again. */
  let isLost = false;
  let isSending = false;
  let isHurried = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let room: Promise<void> | undefined;
  /** Somebody waited for room in vain since the log last moved: nobody does until it moves again. */
  let isBlocked = false;
  let appended = 0;
  let dropped = 0;

  const backlog = createBacklog({
    maxBytes: limits.outboxBytes,
    startEvent: options.startEvent,
    again: options.again,
    onOverflow(lost) {
      dropped += lost;
      logger.warn({ executionId, lost, dropped }, 'the outbox is full; text or value will be made good');
    },
  });
  const isStopped = (): boolean => stopping.signal.aborted;
  const isDone = (): boolean => position !== undefined && !isStopped() && backlog.isEmpty;
  const hasRoom = (): boolean => backlog.bytes < limits.highWaterBytes;

  function schedule(): void {
    if (timer || isSending || isStopped() || attempt === undefined || isDone()) return;
    timer = setTimeout(() => {
      timer = undefined;
      void send();
    }, delayMs());
    timer.unref();
  }

  function delayMs(): number {
    if (failures > 0) return backoffMs(failures);
    if (!position || isHurried) return 0;
    return Math.min(limits.batchMs, Math.max(0, backlog.since + limits.batchMs - Date.now()));
  }

  /** One step of the loop; it never rejects. */
  async function send(): Promise<void> {
    isSending = true;
    try {
      if (!position || isLost) await open();
      else await append();
      if (failures > 1 && !isStopped()) logger.info({ executionId, failures }, 'the log answers again');
      failures = 0;
    } catch (error) {
      failures += 1;
      if (isRejection(error) && !isStopped()) refuse(error);
      if (failures === 2) logger.warn({ executionId, err: error }, 'the log does not answer; trying on');
    }
    isSending = false;
    waiting.notify();
    schedule();
  }

  async function open(): Promise<void> {
    const lost = position && { epoch: position.epoch, acknowledged: position.seq };
    const request = { numbering: 'auto', publisher, attempt: attempt!, ...(lost && { lost }) } as const;
    const result = await callOnce(() => log.open(executionId, request), limits.callMs, stopping.signal);
    if (result.outcome !== 'opened') return refuse(toRunError(result), endPositionOf(result, undefined));
    const { epoch, head } = result.head;
    isLost = false;
    if (position?.epoch === epoch) {
      // Whole after all. Through the backoff, lest a log that flickers be asked in a tight loop.
      throw new ExecstreamError('LOG_LOST', 'log reappeared with the same epoch; retrying');
    }
    if (position) {
      logger.warn({ executionId }, 'the log was lost; sending again what is held');
      backlog.startOver();
    }
    position = { epoch, seq: head };
  }

  async function append(): Promise<void> {
    const batch = backlog.next();
    if (!batch || !position) return;
    const { epoch, seq: acknowledged } = position;
    const events = batch.items.map(({ event }) => event);
    const request = { epoch, acknowledged, publisher, attempt: attempt!, batch: batch.id, events };
    const result = await callOnce(() => log.append(executionId, request), limits.callMs, stopping.signal);
    if (result.outcome === 'lost') {
      isLost = true;
    } else if (result.outcome === 'appended') {
      position = { epoch, seq: result.head };
      appended += events.length;
      backlog.acknowledge();
      isBlocked = false;
    } else {
      refuse(toRunError(result), endPositionOf(result, epoch));
    }
  }

  function refuse(error: ExecstreamError, end?: Position): void {
    stop();
    options.onRefused(error, end);
  }

  function stop(): void {
    stopping.abort();
    clearTimeout(timer);
    timer = undefined;
    backlog.clear();
    waiting.close();
  }

  return {
    start(ofAttempt) {
      attempt = ofAttempt;
      schedule();
    },
    push(event, apart) {
      if (isStopped()) return;
      backlog.push(event, apart);
      schedule();
    },
    room() {
      if (isStopped() || isBlocked || hasRoom()) return Promise.resolve();
      room ??= waiting.wait(hasRoom, limits.blockMs).then((isRoom) => {
        isBlocked = !isRoom;
        room = undefined;
      });
      return room;
    },
    opened: (ms) => waiting.wait(() => position !== undefined, ms),
    flush(ms) {
      isHurried = true;
      if (timer && failures === 0) {
        clearTimeout(timer);
        timer = undefined;
        schedule();
      }
      return waiting.wait(isDone, ms);
    },
    stop,
    get position() {
      return position;
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
  };
}
