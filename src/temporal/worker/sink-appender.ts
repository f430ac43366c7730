// Appends the events of one workflow's sink to its log, and remembers the log between the batches.
import type { Execution, ExecutionStore } from '../../execution/store.ts';
import type { LogWriter } from '../../log/log.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { beginRow, type LogTarget, progressNote, type RunSinkEvent, resolveTarget } from './sink-target.ts';

/**
 * - `done`
 * - `retry`: the log was lost
 * - `gap`: events before these are missing in the log, or the end of an earlier workflow with the same id
 * - `skipped`: this sink must not append them; the server reads them by the query
 */
export type AppendOutcome = 'done' | 'retry' | 'gap' | 'skipped';

/** The last append of an epoch: the log's epoch, and its head. */
export interface Appended {
  readonly logEpoch: string;
  readonly epoch: string;
  readonly head: number;
}

export interface SinkAppender {
  readonly last: Appended | undefined;
  /** @throws ExecstreamError as log and store; the log is then looked up again for the next batch. */
  append(batch: readonly RunSinkEvent[]): Promise<AppendOutcome>;
}

export interface SinkAppenderOptions {
  readonly log: LogWriter;
  readonly store: Pick<ExecutionStore, 'begin'>;
  readonly logger: Logger;
}

const CONTRADICTED = 'the log has other events';

export function createSinkAppender({ log, store, logger }: SinkAppenderOptions): SinkAppender {
  let target: LogTarget | undefined;
  let last: Appended | undefined;
  /** The run whose row was created from here, and that row. */
  let started: { readonly runId: string; readonly row: Execution } | undefined;
  /** An epoch of the log that contradicts our events; the server starts another. */
  let contradictedEpoch: string | undefined;
  /** Logged once, until an append succeeds. */
  let loggedReason: string | undefined;

  function skip(executionId: string, reason: string): AppendOutcome {
    if (loggedReason !== reason) {
      logger.info({ executionId }, `events not appended (${reason}); the server reads them by the query`);
    }
    loggedReason = reason;
    return 'skipped';
  }

  async function begin(event: RunSinkEvent): Promise<Execution> {
    const { runId } = event.run;
    if (started?.runId !== runId) started = { runId, row: await beginRow(store, event) };
    return started.row;
  }

  async function targetOf(
    first: RunSinkEvent,
  ): Promise<LogTarget | { readonly skipped: string } | 'not-ended'> {
    if (target?.epoch === first.epoch) return target;
    target = undefined;
    const resolved = await resolveTarget(log, first, () => begin(first));
    if (resolved === 'not-ended' || 'skipped' in resolved) return resolved;
    return resolved.logEpoch === contradictedEpoch ? { skipped: CONTRADICTED } : resolved;
  }

  async function appendTo(to: LogTarget, batch: readonly RunSinkEvent[]): Promise<AppendOutcome> {
    const newest = batch.at(-1)!;
    const { executionId, epoch, run, event } = newest;
    const { logEpoch } = to;
    const result = await log.append(executionId, {
      epoch: logEpoch,
      acknowledged: 0,
      attempt: batch[0]!.run.attempt,
      events: batch.map((queued) => queued.event),
      ...progressNote(to, newest),
    });
    switch (result.outcome) {
      case 'appended':
        target = { ...to, runId: run.runId };
        last = { logEpoch, epoch, head: event.seq };
        loggedReason = undefined;
        return 'done';
      case 'gap':
        target = to;
        return 'gap';
      case 'lost':
        return 'retry';
      case 'conflict':
        contradictedEpoch = logEpoch;
        return skip(executionId, CONTRADICTED);
      default:
        return skip(executionId, `the log rejected them: ${result.outcome}`);
    }
  }

  return {
    get last() {
      return last;
    },
    async append(batch) {
      const first = batch[0]!;
      const to = await targetOf(first);
      // Unless the append succeeds, the log is looked up again.
      target = undefined;
      if (to === 'not-ended') return 'gap';
      return 'skipped' in to ? skip(first.executionId, to.skipped) : await appendTo(to, batch);
    },
  };
}
