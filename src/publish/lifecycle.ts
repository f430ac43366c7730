// A run from its beginning to its release: begins the row and the log, records the end, leaves without one, and reports
// a rejection once. run-state.ts has the states and their transitions; this file performs the effects.
import { settleWithin } from '../async/timeout.ts';
import type { ExecstreamError } from '../event/errors.ts';
import type { NewEvent, OpenStatus } from '../event/events.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import type { BeginExecution, ExecutionEnd } from '../execution/store.ts';
import type { Position } from '../lifecycle/end-execution.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createHeartbeat } from './heartbeat.ts';
import { leaveRun } from './leave-run.ts';
import type { PublisherLimits } from './limits.ts';
import { toRunError } from './log-outcome.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { recordRunEnd } from './record-end.ts';
import { isRejection } from './retry.ts';
import { createRowWriter } from './row-writer.ts';
import type { LeaveReason, RunPhase, RunState } from './run-state.ts';
import * as phases from './run-state.ts';
import type { BegunRow, RunConnection } from './transport.ts';

export interface LifecycleOptions extends RunConnection {
  readonly execution: BeginExecution;
  readonly startEvent: NewEvent;
  readonly limits: PublisherLimits;
  readonly sizes: SizeLimits;
  readonly logger: Logger;
  /** See `ResendState.resendEvents`. */
  resendEvents(queuedUnits: number): NewEvent[];
  /** The run has released its timers and connections. */
  onReleased(): void;
}

export interface Lifecycle {
  readonly state: RunState;
  /** The rejection that has ended the run, if one did. */
  readonly error: ExecstreamError | undefined;
  /** Known once the row has begun, or from the start if the caller chose it. */
  readonly attempt: number | undefined;
  readonly outbox: Outbox;
  /** Aborts, with the rejection as its reason, when the work of this run is no longer needed. */
  readonly signal: AbortSignal;
  /**
   * Begins the row and the log. Resolves within `beginMs`; while one of them is unavailable, it is retried afterwards.
   * @throws ExecstreamError a rejection that arrived within that time.
   */
  begin(): Promise<void>;
  setStatus(status: OpenStatus): void;
  /**
   * Records the end, once. Resolves within `endMs`: true if the row and the log have it, false if it is still retried
   * or belongs to another process.
   * @param resultIsContent whether the result is the text or value that was published
   */
  end(end: ExecutionEnd, resultIsContent: boolean): Promise<boolean>;
  /** Resolves to true when everything published so far was sent, to false after `closeMs`. */
  flush(): Promise<boolean>;
  /** Sends the queued events, within `closeMs`, and records no end. */
  leave(reason: LeaveReason): Promise<void>;
}

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const { log, store, execution, startEvent, limits, sizes, logger, resendEvents } = options;
  const executionId = execution.id;
  let phase: RunPhase = phases.OPEN;
  let attempt = execution.attempt;
  let hasBegun = false;
  let rowBegin: Promise<BegunRow> | undefined;
  let ending: Promise<boolean> | undefined;
  let leaving: Promise<void> | undefined;
  /** Aborts when the run is rejected: the caller's signal. */
  const rejected = new AbortController();
  /** Aborts when the run is released: stops the retries of the row. */
  const released = new AbortController();
  const heartbeat = createHeartbeat(log, executionId);
  const outbox = createOutbox({
    log,
    executionId,
    limits,
    sizes,
    logger,
    startEvent,
    resendEvents,
    onRejected: reject,
  });
  const row = createRowWriter({
    store,
    execution,
    logger,
    callMs: limits.callMs,
    signal: released.signal,
    onRejected: reject,
  });

  function enter(next: RunPhase): void {
    if (next === phase) return;
    phase = next;
    if (next.kind !== 'released') return;
    const { rejection: err } = next;
    // The caller of `begin` reports a rejection that it gets.
    if (err && hasBegun) {
      const reason =
        next.state === 'rejected' ? 'rejected' : 'superseded by another attempt or publisher, or ended';
      logger.warn({ executionId, err }, `publishing stopped: ${reason}`);
    }
    outbox.stop();
    heartbeat.stop(next.state === 'ended' || next.state === 'abandoned');
    released.abort();
    options.onReleased();
    if (err) rejected.abort(err);
  }

  function reject(error: ExecstreamError, endedAt?: Position): void {
    enter(phases.reject(phase, error, endedAt));
  }

  /** What keeps the row or the log from being reached, for log lines. */
  const cause = (): unknown => row.lastError ?? outbox.lastError;

  async function beginRow(): Promise<BegunRow> {
    try {
      const begunRow = await row.begin();
      attempt = begunRow.attempt;
      outbox.start(begunRow.attempt, begunRow.incarnation);
      heartbeat.start();
      return begunRow;
    } catch (error) {
      if (isRejection(error)) reject(error);
      throw error;
    }
  }

  async function recordEnd(end: ExecutionEnd, resultIsContent: boolean): Promise<boolean> {
    try {
      const result = await recordRunEnd(end, {
        resultIsContent,
        outbox,
        row,
        rowBegin: rowBegin!,
        sizes,
        flushMs: limits.endMs / 2,
        onRowEnded: () => enter(phases.rowEnded(phase)),
        endedAt: () => phases.endedAtOf(phase),
      });
      if (result.outcome === 'superseded') reject(toRunError(result));
      return result.outcome === 'ended';
    } catch (err) {
      // Once the run has been released, its aborted calls are expected to reject.
      if (phase.kind !== 'released') logger.error({ executionId, err }, 'end not recorded');
      return false;
    } finally {
      enter(phases.settle(phase));
    }
  }

  async function sendRest(reason: LeaveReason): Promise<void> {
    await leaveRun(reason, { outbox, row, logger, executionId, closeMs: limits.closeMs });
    enter(phases.settle(phase));
  }

  return {
    outbox,
    signal: rejected.signal,
    get state() {
      return phases.runStateOf(phase);
    },
    get error() {
      return phase.kind === 'released' ? phase.rejection : undefined;
    },
    get attempt() {
      return attempt;
    },
    async begin() {
      rowBegin = beginRow();
      const opened = rowBegin.then(() => outbox.opened(limits.beginMs));
      const isOpened = await settleWithin(opened, limits.beginMs);
      if (rejected.signal.aborted) throw rejected.signal.reason;
      hasBegun = true;
      if (!isOpened) {
        logger.warn({ executionId, err: cause() }, 'row or log unavailable: queueing events and retrying');
      }
    },
    setStatus: (status) => row.setStatus(status),
    async end(end, resultIsContent) {
      if (phase.kind === 'open') {
        enter(phases.end(phase));
        ending = recordEnd(end, resultIsContent);
      }
      const isRecorded = ending && (await settleWithin(ending, limits.endMs));
      if (phases.runStateOf(phase) === 'ending') {
        logger.warn({ executionId, err: cause() }, 'end not recorded in time: retrying in the background');
      }
      return isRecorded ?? false;
    },
    async flush() {
      if (ending) return (await settleWithin(ending, limits.closeMs)) ?? false;
      return (await settleWithin(outbox.flush(limits.closeMs), limits.closeMs)) ?? false;
    },
    async leave(reason) {
      if (phase.kind === 'open') {
        enter(phases.leave(phase, reason));
        leaving = sendRest(reason);
      }
      await leaving;
      if (ending) await settleWithin(ending, limits.closeMs);
      if (phases.runStateOf(phase) !== 'ending') return;
      logger.error({ executionId, err: cause() }, 'publisher closed before the end was recorded');
      enter(phases.giveUp(phase));
    },
  };
}
