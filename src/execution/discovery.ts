// Executions that lists should contain although they have no rows yet.
import type { ExecutionQuery } from './store.ts';

export interface DiscoveryQuery extends ExecutionQuery {
  /** Only workflows that this schedule has started. */
  readonly scheduleId?: string | undefined;
}

/**
 * Creates the rows that a page of a list lacks.
 * @returns with `scheduleId`, the ids of the executions that the page may contain; otherwise undefined
 * @throws ExecstreamError `SOURCE_UNAVAILABLE`, with `scheduleId`; otherwise the list has the rows that exist
 */
export type DiscoverExecutions = (query: DiscoveryQuery) => Promise<readonly string[] | undefined>;
