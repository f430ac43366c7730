// A run from its beginning to its end: row and log begun, the end recorded in its order, refusals told once.

import { settleWithin } from '../async/timeout.ts';
import type { ExecstreamError } from '../event/errors.ts';
import type { NewEvent, OpenStatus } from '../event/events.ts';
import type { BeginExecution, Execution, ExecutionEnd, ExecutionStore } from '../execution/store.ts';
import type { Position } from '../lifecycle/end-execution.ts';
import type { LogWriter } from '../log/log.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createHeartbeat } from './heartbeat.ts';
import type { PublisherLimits } from './limits.ts';
import { toRunError } from './log-outcome.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { recordRunEnd } from './record-end.ts';
import { isRejection } from './retry.ts';
import { createRowWriter } from './row-writer.ts';

/**
 * `open`: takes events; `ending`: its end is being recorded; `ended`: it is, by this run or elsewhere;
 * `superseded`: another attempt or publisher has it, or row or log refuse it; `abandoned`: this try gave up;
 * `closed`: its publisher was closed before its end.
 */
export type RunState = 'open' | 'ending' | 'ended' | 'superseded' | 'abandoned' | 'closed';

export interface LifecycleOptions {
  readonly log: LogWriter;
  readonly store: ExecutionStore;
  readonly execution: BeginExecution;
  readonly startEvent: NewEvent;
  readonly limits: PublisherLimits;
  readonly logger: Logger;
  resendEvents(queuedUnits: number): NewEvent[];
  /** The run needs nothing any more. */
  onReleased(): void;
}

export interface Lifecycle {
  readonly state: RunState;
  /** Known once the row is begun, or from the start if it was given. */
  readonly attempt: number | undefined;
  readonly outbox: Outbox;
  /** Aborts, with the refusal as its reason, when the work is in vain. */
  readonly signal: AbortSignal;
  /**
   * Begins row and log; resolves within `beginMs`, and goes on by itself where one of them is away.
   * @throws ExecstreamError a refusal that came within that time.
   */
  begin(): Promise<void>;
  setStatus(status: OpenStatus): void;
  /**
   * Records the end, once. Resolves within `endMs`: true when row and log have it, false when it is tried on.
   */
  end(end: ExecutionEnd): Promise<boolean>;
  /** Sends what is queued, within `closeMs`, and ends nothing. */
  leave(state: 'abandoned' | 'closed'): Promise<void>;
}

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const { log, store, execution, startEvent, limits, logger } = options;
  const executionId = execution.id;
  let state: RunState = 'open';
  let attempt = execution.attempt;
  let begun: Promise<Execution> | undefined;
  let ending: Promise<boolean> | undefined;
  let leaving: Promise<void> | undefined;
  /** Where the log has ended by another's hand. */
  let endedAt: Position | undefined;
  /** The row has an end of this attempt: whoever takes the log from here on tells that. */
  let isFinished = false;
  const refused = new AbortController();
  /** Ends every try of the row. */
  const lifetime = new AbortController();
  const pulse = createHeartbeat(log, executionId);

  const outbox = createOutbox({
    log,
    executionId,
    limits,
    logger,
    startEvent,
    resendEvents: options.resendEvents,
    onRejected: refuse,
  });
  const row = createRowWriter({
    store,
    execution,
    logger,
    callMs: limits.callMs,
    signal: lifetime.signal,
    onRefused: refuse,
  });

  function refuse(error: ExecstreamError, end?: Position): void {
    // An end that someone else told while this run was ending is an end all the same: the row is finished still.
    if (error.code === 'ENDED') endedAt ??= end;
    const isExpected = state === 'ending' && (error.code === 'ENDED' || isFinished);
    if ((state !== 'open' && state !== 'ending') || isExpected) return;
    logger.warn(
      { executionId, err: error },
      'publishing has stopped; the execution has gone on without this run',
    );
    release(error.code === 'ENDED' ? 'ended' : 'superseded');
    refused.abort(error);
  }

  function release(next: RunState): void {
    state = next;
    outbox.stop();
    pulse.stop(next === 'ended' || next === 'abandoned');
    lifetime.abort();
    options.onReleased();
  }

  async function beginRow(): Promise<Execution> {
    try {
      const begunRow = await row.begin();
      attempt = begunRow.attempt;
      outbox.start(begunRow.attempt);
      pulse.start();
      return begunRow;
    } catch (error) {
      if (isRejection(error)) refuse(error);
      throw error;
    }
  }

  async function record(end: ExecutionEnd): Promise<boolean> {
    const result = await recordRunEnd(end, {
      outbox,
      row,
      begun: begun!,
      flushMs: limits.endMs / 2,
      onRowEnded: () => {
        isFinished = true;
      },
      endedAt: () => endedAt,
    });
    if (result.outcome === 'superseded') refuse(toRunError(result));
    return result.outcome === 'ended';
  }

  async function recordAndRelease(end: ExecutionEnd): Promise<boolean> {
    try {
      return await record(end);
    } catch (err) {
      if (state === 'ending') logger.error({ executionId, err }, 'the end was not recorded');
      return false;
    } finally {
      if (state === 'ending') release('ended');
    }
  }

  async function sendRest(next: RunState): Promise<void> {
    const [isSent] = await Promise.all([
      settleWithin(outbox.flush(limits.closeMs), limits.closeMs),
      next === 'abandoned' && noteAbandoned(),
    ]);
    if (!isSent) logger.warn({ executionId, bytes: outbox.bytes }, 'what was queued has not reached the log');
    release(next);
  }

  /** The next attempt may begin much later than a lost publisher's execution is ended. */
  async function noteAbandoned(): Promise<void> {
    const noted = row.abandon().then(() => true);
    if (await settleWithin(noted, limits.closeMs)) return;
    const message =
      'store unavailable: the execution may end as PUBLISHER_LOST before its next attempt begins';
    logger.warn({ executionId }, message);
  }

  return {
    outbox,
    signal: refused.signal,
    get state() {
      return state;
    },
    get attempt() {
      return attempt;
    },
    async begin() {
      begun = beginRow();
      const isOpened = await settleWithin(
        begun.then(() => outbox.opened(limits.beginMs)),
        limits.beginMs,
      );
      if (refused.signal.aborted) throw refused.signal.reason;
      if (!isOpened) logger.warn({ executionId }, 'row or log is away; the run holds what is published');
    },
    setStatus: (status) => row.setStatus(status),
    async end(end) {
      if (state === 'open') {
        state = 'ending';
        ending = recordAndRelease(end);
      }
      const isRecorded = ending && (await settleWithin(ending, limits.endMs));
      if (state === 'ending') logger.warn({ executionId }, 'the end is not recorded yet; trying on');
      return isRecorded ?? false;
    },
    async leave(next) {
      if (state === 'open') {
        state = next;
        leaving = sendRest(next);
      }
      await leaving;
      if (ending) await settleWithin(ending, limits.closeMs);
      // Read after the wait, which changes it where the end could be recorded.
      if (state !== 'ending') return;
      logger.error({ executionId }, 'the publisher closed before the end was recorded');
      release('closed');
    },
  };
}
