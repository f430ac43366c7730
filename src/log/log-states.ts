// A cache of log states, least recently used first out, so that each event is read and applied once.

import type { LogReader } from './log.ts';
import { LogState } from './log-state.ts';

const PAGE = 128;

/** Memory of the cached states; an evicted state is read from its log again. */
const MAX_CACHED_BYTES = 64 * 1024 * 1024;

/** Cached states, regardless of their size. */
const MAX_CACHED_STATES = 10_000;

export interface LogStates {
  /**
   * The state after the last event of a log; an empty state if there is no log.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the log is unavailable
   */
  read(executionId: string): Promise<LogState>;
  /** Whether the state is cached, so that `read` only reads the events since. */
  has(executionId: string): boolean;
  /** Drops states beyond the limit, after this one has grown. */
  evict(executionId: string): void;
}

export function createLogStates(
  log: Pick<LogReader, 'read'>,
  { maxBytes = MAX_CACHED_BYTES }: { readonly maxBytes?: number } = {},
): LogStates {
  /** Least recently used first. */
  const cache = new Map<string, { readonly state: LogState; readonly bytes: number }>();
  let bytes = 0;

  function drop(executionId: string): void {
    bytes -= cache.get(executionId)?.bytes ?? 0;
    cache.delete(executionId);
  }

  function put(executionId: string, state: LogState): void {
    drop(executionId);
    cache.set(executionId, { state, bytes: state.bytes });
    bytes += state.bytes;
    for (const [oldest] of cache) {
      if ((bytes <= maxBytes && cache.size <= MAX_CACHED_STATES) || oldest === executionId) break;
      drop(oldest);
    }
  }

  return {
    has: (executionId) => cache.has(executionId),
    evict(executionId) {
      const state = cache.get(executionId)?.state;
      if (state) put(executionId, state);
    },
    async read(executionId) {
      let state = cache.get(executionId)?.state;
      for (;;) {
        const after = state?.seq ?? 0;
        const page = await log.read(executionId, after, PAGE);
        if (!page) {
          drop(executionId);
          return new LogState('');
        }
        // A concurrent call has read further.
        if (state && state.seq !== after) continue;
        if (state?.epoch !== page.epoch || after > page.head) {
          state = new LogState(page.epoch);
          if (after > 0) continue;
        }
        for (const event of page.events) state.add(event);
        if (state.seq >= page.head || page.events.length === 0) break;
      }
      put(executionId, state);
      return state;
    },
  };
}
