// Open executions whose publisher promised heartbeats and that have none: a begin that failed halfway, a Redis that was
// emptied, a server with embedded parts that was killed. Each gets a heartbeat as of now. A publisher that is alive
// replaces it within 10 s; otherwise the liveness sweep ends the execution as that of any other lost publisher.
//
// Invariants
// 1. The promise is a column of the row, so that no loss of the log can hide an execution from the sweep.
// 2. Any number of servers may do this concurrently: a heartbeat that exists is not changed, unless it is of the future.
// 3. The work of one step is limited. The next step continues after the last id.

import type { LivenessReader } from '../coordination/liveness.ts';
import type { ExecutionStore, OpenExecution } from '../execution/store.ts';

export interface MissingHeartbeatsOptions {
  readonly log: Pick<LivenessReader, 'recordMissingHeartbeats'>;
  readonly store: Pick<ExecutionStore, 'expectingHeartbeats'>;
  /** Whether another source knows how the execution ends: it gets no heartbeat. */
  readonly isTruthElsewhere: (row: OpenExecution) => boolean;
}

/** Executions per query, and per command to the log. */
const PAGE = 1_000;
/** A step reads up to 20,000 executions: 20 short queries and commands. */
const PAGES_PER_STEP = 20;

/**
 * Makes the step that each sweep takes.
 * @returns a function that rejects with `SOURCE_UNAVAILABLE` if the log or the store is unavailable; the next call
 *   then repeats the page that failed.
 */
export function createMissingHeartbeats({ log, store, isTruthElsewhere }: MissingHeartbeatsOptions) {
  let after: string | undefined;

  return async function recordMissing(signal: AbortSignal): Promise<void> {
    for (let page = 0; page < PAGES_PER_STEP && !signal.aborted; page += 1) {
      const open = await store.expectingHeartbeats(after, PAGE);
      const ids = open.filter((row) => !isTruthElsewhere(row)).map(({ id }) => id);
      if (ids.length > 0) await log.recordMissingHeartbeats(ids);
      after = open.length < PAGE ? undefined : open.at(-1)!.id;
      if (after === undefined) return;
    }
  };
}
