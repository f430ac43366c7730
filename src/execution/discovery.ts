// Executions that lists should contain although they have no rows yet, and the filters that only Temporal's visibility can
// evaluate. They are not part of `ExecutionQuery`, which stores implement.
import { ExecstreamError } from '../event/errors.ts';
import type { ExecutionQuery } from './store.ts';

/** What rows do not have, or stores do not select by. Each filter selects workflows alone. */
export interface WorkflowFilter {
  /** Only workflows that this schedule has started. */
  readonly scheduleId?: string | undefined;
  /** Only workflows of this type. */
  readonly workflowType?: string | undefined;
  /** Only child workflows of the workflow with this execution id. */
  readonly parentId?: string | undefined;
  /** Only workflows that started at this time or later. */
  readonly startedFrom?: Date | undefined;
  /** Only workflows that started before this time. */
  readonly startedBefore?: Date | undefined;
}

export interface DiscoveryQuery extends ExecutionQuery, WorkflowFilter {}

/**
 * Creates the rows that a page of a list lacks.
 * @returns with a `WorkflowFilter`, the ids of the executions that the page may contain; otherwise undefined
 * @throws ExecstreamError `SOURCE_UNAVAILABLE`, with a `WorkflowFilter`; otherwise the list has the rows that exist
 */
export type DiscoverExecutions = (query: DiscoveryQuery) => Promise<readonly string[] | undefined>;

/** The name of a filter of a query that a store cannot evaluate; undefined if it has none. */
export function workflowFilterIn(query: WorkflowFilter): keyof WorkflowFilter | undefined {
  const { scheduleId, workflowType, parentId, startedFrom, startedBefore } = query;
  const filters = { scheduleId, workflowType, parentId, startedFrom, startedBefore };
  return (Object.keys(filters) as (keyof WorkflowFilter)[]).find((name) => filters[name] !== undefined);
}

/** The part of a query that a store evaluates. */
export function storeQueryOf(query: DiscoveryQuery): ExecutionQuery {
  const {
    scheduleId: _,
    workflowType: _1,
    parentId: _2,
    startedFrom: _3,
    startedBefore: _4,
    ...rest
  } = query;
  return rest;
}

/** @throws ExecstreamError `BAD_USER_INPUT` if a query has a filter that needs Temporal's visibility */
export function rejectWorkflowFilters(query: WorkflowFilter): void {
  const name = workflowFilterIn(query);
  if (name === undefined) return;
  const message = `${name}: this server does not list workflows from Temporal (TEMPORAL_LIST)`;
  throw new ExecstreamError('BAD_USER_INPUT', message);
}
