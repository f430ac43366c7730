// Records heartbeats for open executions that expect them and have none: a begin that failed halfway, a Redis that was
// emptied, a server with embedded parts that was killed. Each gets a heartbeat as of now. A live publisher replaces it
// within 10 s; otherwise the sweep for lost publishers ends the execution as usual.
//
// Invariants
// 1. The expectation is a column of the row, so no loss of the log can hide an execution from the sweep.
// 2. Any number of servers may do this concurrently: an existing heartbeat is not changed, unless its time is in the
//    future.
// 3. The work of one step is limited. The next step continues after the last id.

import type { LivenessReader } from '../coordination/liveness.ts';
import type { ExecutionStore, OpenExecution } from '../execution/store.ts';

export interface MissingHeartbeatsOptions {
  readonly log: Pick<LivenessReader, 'recordMissingHeartbeats'>;
  readonly store: Pick<ExecutionStore, 'expectingHeartbeats'>;
  /** Whether another source decides how the execution ends: it gets no heartbeat. */
  readonly isEndedElsewhere: (row: OpenExecution) => boolean;
}

/** Executions per query, and per command to the log. */
const PAGE = 1_000;
/** A step reads up to 20,000 executions: 20 short queries and commands. */
const PAGES_PER_STEP = 20;

/**
 * Creates the step that each sweep takes.
 * @returns a function that rejects with `SOURCE_UNAVAILABLE` if the log or the store is unavailable; the next call
 *   then repeats the page that failed
 */
export function createMissingHeartbeats({ log, store, isEndedElsewhere }: MissingHeartbeatsOptions) {
  let after: string | undefined;

  return async function recordMissing(signal: AbortSignal): Promise<void> {
    for (let page = 0; page < PAGES_PER_STEP && !signal.aborted; page += 1) {
      const open = await store.expectingHeartbeats(after, PAGE);
      const ids = open.filter((row) => !isEndedElsewhere(row)).map(({ id }) => id);
      if (ids.length > 0) await log.recordMissingHeartbeats(ids);
      after = open.length < PAGE ? undefined : open.at(-1)!.id;
      if (after === undefined) return;
    }
  };
}
