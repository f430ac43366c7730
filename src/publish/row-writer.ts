// The run's row in the store: begun, its status kept up, finished. Every call is tried until it is answered.
import { ExecstreamError } from '../event/errors.ts';
import { isFinal, type OpenStatus } from '../event/events.ts';
import type { BeginExecution, Execution, ExecutionEnd, ExecutionStore } from '../execution/store.ts';
import type { Position } from '../lifecycle/end-execution.ts';
import type { Logger } from '../telemetry/logger.ts';
import { callUntilSettled, isRejection } from './retry.ts';

export interface RowWriterOptions {
  readonly store: ExecutionStore;
  readonly execution: BeginExecution;
  readonly logger: Logger;
  readonly callMs: number;
  /** Ends every try. */
  readonly signal: AbortSignal;
  /** The row has gone on without this attempt. */
  onRefused(error: ExecstreamError): void;
}

export interface RowWriter {
  /**
   * Begins the attempt.
   * @throws ExecstreamError what the store refuses with; the signal's reason when it aborts.
   */
  begin(): Promise<Execution>;
  /** Writes a status in the background; of several that wait, the last. */
  setStatus(status: OpenStatus): void;
  /** Ends the row, and answers it as it stands then; undefined where it is gone. Rejects only when aborted. */
  finish(end: ExecutionEnd): Promise<Execution | undefined>;
  markEnd(end: Position): Promise<void>;
  /** Notes that no heartbeat is to be expected until another attempt begins. Rejects only when aborted. */
  abandon(): Promise<void>;
}

export function createRowWriter({
  store,
  execution,
  logger,
  callMs,
  signal,
  onRefused,
}: RowWriterOptions): RowWriter {
  const executionId = execution.id;
  let attempt = execution.attempt;
  let status: OpenStatus | undefined;
  let isBegun = false;
  let isWriting = false;

  const retry = <T>(call: () => Promise<T>, what: string): Promise<T> =>
    callUntilSettled(call, {
      callMs,
      signal,
      onFailure(err, failures) {
        if (failures === 2)
          logger.warn({ executionId, err }, `${what}: the store does not answer; trying on`);
      },
    });

  async function writeStatus(): Promise<void> {
    isWriting = true;
    try {
      while (status !== undefined) {
        const next = status;
        status = undefined;
        const isSet = await retry(() => store.setStatus(executionId, attempt!, next), 'setStatus');
        if (!isSet) await diagnose();
      }
    } catch (err) {
      // A status that the store will not have is not worth the run; an abort is no news.
      if (!signal.aborted) logger.warn({ executionId, err }, 'the status was not written');
    }
    isWriting = false;
  }

  /** Why a status was not taken. */
  async function diagnose(): Promise<void> {
    const row = await retry(() => store.get(executionId), 'get');
    if (row && row.attempt > attempt!) {
      onRefused(new ExecstreamError('SUPERSEDED', `attempt ${row.attempt} has the execution`));
    } else if (row && isFinal(row.status)) {
      onRefused(new ExecstreamError('ENDED', `the execution has ended: ${row.status}`));
    }
  }

  return {
    async begin() {
      // The attempt is settled before it is begun: a begin whose answer got lost may then be sent again, where one
      // that counts by itself would begin another attempt, and supersede its own.
      if (attempt === undefined) {
        const known = await retry(() => store.get(executionId), 'begin');
        attempt = (known?.attempt ?? 0) + 1;
      }
      const row = await retry(() => store.begin({ ...execution, attempt: attempt! }), 'begin');
      attempt = row.attempt;
      isBegun = true;
      if (status !== undefined && !isWriting) void writeStatus();
      return row;
    },
    setStatus(next) {
      status = next;
      if (isBegun && !isWriting) void writeStatus();
    },
    async finish(end) {
      status = undefined;
      try {
        return await retry(() => store.finish(executionId, attempt!, end), 'finish');
      } catch (err) {
        if (signal.aborted || !isRejection(err)) throw err;
        // A result or message that the store cannot keep must not leave the execution open for ever.
        logger.error({ executionId, err }, 'the store refused the end; ending without result');
        const bare =
          end.status === 'SUCCESS'
            ? ({ status: end.status, resultOmitted: true } as const)
            : { ...end, error: { message: 'failed' } };
        return retry(() => store.finish(executionId, attempt!, bare), 'finish');
      }
    },
    async abandon() {
      if (isBegun) await retry(() => store.abandon(executionId, attempt!), 'abandon');
    },
    markEnd: (end) => retry(() => store.markEnd(executionId, end), 'markEnd'),
  };
}
