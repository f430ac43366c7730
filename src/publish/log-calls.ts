// The calls by which an outbox writes to the log, each with a timeout. An error or a timeout leaves the outcome
// unknown; both calls can be repeated.
import type { AppendResult, LogWriter, OpenResult } from '../log/log.ts';
import type { Batch } from './backlog.ts';
import type { Appending, Opening, Reopening } from './outbox-state.ts';
import { callOnce } from './retry.ts';

export interface LogCallsOptions {
  readonly log: Pick<LogWriter, 'open' | 'append'>;
  readonly executionId: string;
  /** Timeout of one call. */
  readonly callMs: number;
  /** Aborts the call in flight. */
  readonly signal: AbortSignal;
}

export interface LogCalls {
  /** @param incarnation of the row that the publisher began */
  open(state: Opening | Reopening, incarnation: string | undefined): Promise<OpenResult>;
  append(state: Appending, batch: Batch): Promise<AppendResult>;
}

/** Creates the calls of one publisher, which the log distinguishes from others of the same attempt. */
export function createLogCalls({ log, executionId, callMs, signal }: LogCallsOptions): LogCalls {
  const publisher = crypto.randomUUID();
  return {
    open(state, incarnation) {
      const { attempt } = state;
      const row = incarnation === undefined ? {} : { incarnation };
      const lost =
        state.kind === 'reopening'
          ? { lost: { epoch: state.position.epoch, acknowledged: state.position.seq } }
          : {};
      const request = { numbering: 'auto', publisher, attempt, ...lost, ...row } as const;
      return callOnce(() => log.open(executionId, request), callMs, signal);
    },
    append({ attempt, position: { epoch, seq: acknowledged } }, { id: batch, items }) {
      const events = items.map(({ event }) => event);
      const request = { epoch, acknowledged, publisher, attempt, batch, events };
      return callOnce(() => log.append(executionId, request), callMs, signal);
    },
  };
}
