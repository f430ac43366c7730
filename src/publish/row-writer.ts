// The run's row in the store: begins the attempt, keeps the status current, finishes. Every call is retried until the
// store gives an outcome.
import { ExecstreamError } from '../event/errors.ts';
import { isFinal, type OpenStatus } from '../event/events.ts';
import type { BeginExecution, Execution, ExecutionEnd } from '../execution/store.ts';
import type { Position } from '../lifecycle/end-execution.ts';
import type { Logger } from '../telemetry/logger.ts';
import { callUntilSettled, isRejection, REMIND_MS } from './retry.ts';
import type { BegunRow, RowKeeper, RunStore } from './transport.ts';

export interface RowWriterOptions {
  readonly store: RunStore;
  readonly execution: BeginExecution;
  readonly logger: Logger;
  /** Timeout of one call. */
  readonly callMs: number;
  /** Stops all retries. */
  readonly signal: AbortSignal;
  /** The row belongs to another attempt, or has ended. */
  onRejected(error: ExecstreamError): void;
}

export interface RowWriter {
  /**
   * Begins the attempt.
   * @throws ExecstreamError the store's rejection; the signal's reason when it aborts.
   */
  begin(): Promise<BegunRow>;
  /** Writes a status in the background. Of several statuses that wait, only the last is written. */
  setStatus(status: OpenStatus): void;
  /** Absent if the terminal event ends the row. */
  readonly ends: RowEnds | undefined;
  /** Records that no heartbeat is expected until the next attempt begins. */
  abandon(): Promise<void>;
  /** The error of the last call, while the store is unavailable. */
  readonly lastError: unknown;
}

export interface RowEnds {
  /** Ends the row. Returns it as it is afterwards, or undefined if it was deleted. Rejects only when aborted. */
  finish(end: ExecutionEnd): Promise<Execution | undefined>;
  markEnd(end: Position): Promise<void>;
}

export function createRowWriter(options: RowWriterOptions): RowWriter {
  const { store, execution, logger, callMs, signal, onRejected } = options;
  const executionId = execution.id;
  let attempt = execution.attempt;
  let phase: 'new' | 'idle' | 'writing status' = 'new';
  let nextStatus: OpenStatus | undefined;
  let lastError: unknown;

  async function retry<T>(call: () => Promise<T>, name: string): Promise<T> {
    let loggedAt = 0;
    const result = await callUntilSettled(call, {
      callMs,
      signal,
      onFailure(err, failures) {
        lastError = err;
        if (failures < 2 || (failures > 2 && Date.now() - loggedAt < REMIND_MS)) return;
        loggedAt = Date.now();
        logger.warn({ executionId, err }, `${name}: store unavailable, retrying`);
      },
    });
    if (loggedAt > 0) logger.info({ executionId }, `${name}: store available again`);
    lastError = undefined;
    return result;
  }

  async function writeStatus(): Promise<void> {
    phase = 'writing status';
    try {
      while (nextStatus !== undefined) {
        const status = nextStatus;
        nextStatus = undefined;
        const isSet = await retry(() => store.setStatus(executionId, attempt!, status), 'setStatus');
        if (!isSet && store.keeper) await diagnose(store.keeper);
      }
    } catch (err) {
      // A status that the store rejects must not fail the run. An abort is expected when the run is released.
      if (!signal.aborted) logger.warn({ executionId, err }, 'status not written; the run continues');
    }
    phase = 'idle';
  }

  /** Determines why a status was not set. */
  async function diagnose(keeper: RowKeeper): Promise<void> {
    const row = await retry(() => keeper.get(executionId), 'get');
    if (row && row.attempt > attempt!) {
      onRejected(new ExecstreamError('SUPERSEDED', `attempt ${row.attempt} has the execution`));
    } else if (row && isFinal(row.status)) {
      onRejected(new ExecstreamError('ENDED', `the execution has ended: ${row.status}`));
    }
  }

  function endsOf(keeper: RowKeeper): RowEnds {
    return {
      async finish(end) {
        nextStatus = undefined;
        try {
          return await retry(() => keeper.finish(executionId, attempt!, end), 'finish');
        } catch (err) {
          if (signal.aborted || !isRejection(err)) throw err;
          // A result or message that the store cannot keep must not leave the execution open forever.
          logger.error({ executionId, err }, 'store rejected the end; ending without its result or message');
          return retry(() => keeper.finish(executionId, attempt!, withoutContent(end)), 'finish');
        }
      },
      markEnd: (end) => retry(() => keeper.markEnd(executionId, end), 'markEnd'),
    };
  }

  return {
    get lastError() {
      return lastError;
    },
    async begin() {
      // The attempt is chosen before the row is begun, so that a begin whose response was lost can be retried. If the
      // store counted, the retry would begin another attempt and supersede this run.
      const { keeper } = store;
      if (attempt === undefined && keeper) {
        const row = await retry(() => keeper.get(executionId), 'begin');
        attempt = (row?.attempt ?? 0) + 1;
      }
      const begun = attempt === undefined ? execution : { ...execution, attempt };
      const row = await retry(() => store.begin(begun), 'begin');
      attempt = row.attempt;
      phase = 'idle';
      if (nextStatus !== undefined) void writeStatus();
      return row;
    },
    setStatus(status) {
      nextStatus = status;
      if (phase === 'idle') void writeStatus();
    },
    async abandon() {
      if (phase !== 'new') await retry(() => store.abandon(executionId, attempt!), 'abandon');
    },
    ends: store.keeper && endsOf(store.keeper),
  };
}

function withoutContent(end: ExecutionEnd): ExecutionEnd {
  if (end.status === 'SUCCESS') return { status: end.status, resultOmitted: true };
  return { ...end, error: { message: 'failed' } };
}
