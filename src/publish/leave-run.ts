// Leaves a run without an end: sends the queued events and, for an abandoned attempt, records on the row that no
// heartbeat is expected until the next attempt begins.
import { settleWithin } from '../async/timeout.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Outbox } from './outbox.ts';
import type { RowWriter } from './row-writer.ts';
import type { LeaveReason } from './run-state.ts';

export interface LeaveRunOptions {
  readonly outbox: Pick<Outbox, 'flush' | 'bytes' | 'lastError'>;
  readonly row: Pick<RowWriter, 'abandon' | 'lastError'>;
  readonly logger: Logger;
  readonly executionId: string;
  /** Timeout of both steps together. */
  readonly closeMs: number;
}

/** Resolves within `closeMs`; never rejects. What could not be done is logged. */
export async function leaveRun(reason: LeaveReason, options: LeaveRunOptions): Promise<void> {
  const { outbox, logger, executionId, closeMs } = options;
  const [isSent] = await Promise.all([
    settleWithin(outbox.flush(closeMs), closeMs),
    reason === 'abandoned' && recordAbandoned(options),
  ]);
  if (isSent) return;
  const fields = { executionId, bytes: outbox.bytes, err: outbox.lastError };
  logger.warn(fields, 'queued events did not reach the log in time and are dropped');
}

/** Without this, the execution would be ended as PUBLISHER_LOST if its next attempt begins much later. */
async function recordAbandoned({ row, logger, executionId, closeMs }: LeaveRunOptions): Promise<void> {
  let rejection: unknown;
  const recorded = row.abandon().then(
    () => true,
    (error) => {
      rejection = error;
      return false;
    },
  );
  if (await settleWithin(recorded, closeMs)) return;
  const err = rejection ?? row.lastError;
  const consequence = 'the execution may end as PUBLISHER_LOST before its next attempt begins';
  logger.warn({ executionId, err }, `store unavailable: ${consequence}`);
}
