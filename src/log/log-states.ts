// The states of the logs that were asked for last, kept so that each event is read and applied once.

import type { LogReader } from './log.ts';
import { LogState } from './log-state.ts';

const PAGE = 128;

/** Memory of the states that are kept between calls; the others are read from their logs again. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** States that are kept at most, whatever their size. */
const KEPT_STATES = 10_000;

export interface LogStates {
  /**
   * The state after the last event of a log; an empty one where there is no log.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` where the log does not answer
   */
  read(executionId: string): Promise<LogState>;
  /** Whether the state is kept, so that `read` costs only what has come since. */
  has(executionId: string): boolean;
  /** Lets go of states beyond the limit, after one has grown. */
  evict(executionId: string): void;
}

export function createLogStates(
  log: Pick<LogReader, 'read'>,
  { keptBytes = KEPT_BYTES }: { readonly keptBytes?: number } = {},
): LogStates {
  /** The least recently used first. */
  const kept = new Map<string, { readonly state: LogState; readonly bytes: number }>();
  let bytes = 0;

  function drop(executionId: string): void {
    bytes -= kept.get(executionId)?.bytes ?? 0;
    kept.delete(executionId);
  }

  function keep(executionId: string, state: LogState): void {
    drop(executionId);
    kept.set(executionId, { state, bytes: state.bytes });
    bytes += state.bytes;
    for (const [oldest] of kept) {
      if ((bytes <= keptBytes && kept.size <= KEPT_STATES) || oldest === executionId) break;
      drop(oldest);
    }
  }

  return {
    has: (executionId) => kept.has(executionId),
    evict(executionId) {
      const state = kept.get(executionId)?.state;
      if (state) keep(executionId, state);
    },
    async read(executionId) {
      let state = kept.get(executionId)?.state;
      for (;;) {
        const after = state?.seq ?? 0;
        const page = await log.read(executionId, after, PAGE);
        if (!page) {
          drop(executionId);
          return new LogState('');
        }
        // Another call has read on in the meantime.
        if (state && state.seq !== after) continue;
        if (state?.epoch !== page.epoch || after > page.head) {
          state = new LogState(page.epoch);
          if (after > 0) continue;
        }
        for (const event of page.events) state.add(event);
        if (state.seq >= page.head || page.events.length === 0) break;
      }
      keep(executionId, state);
      return state;
    },
  };
}
