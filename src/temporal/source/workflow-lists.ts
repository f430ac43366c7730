// What precedes the reading of a page of a list: the rows of workflows are brought up to date, and if lists have workflows
// that nobody has viewed, these get rows.
import { ExecstreamError } from '../../event/errors.ts';
import type { DiscoverExecutions } from '../../execution/discovery.ts';
import { createDiscovery, type DiscoveryOptions } from './discovery.ts';
import { createListRefresh } from './list-refresh.ts';
import type { Resolution } from './resolve.ts';

export interface WorkflowListsOptions extends DiscoveryOptions {
  readonly resolution: Pick<Resolution, 'find' | 'idsFrom' | 'refOf'>;
  /** Whether lists have workflows that nobody has viewed. */
  readonly hasUnviewed: boolean;
}

export function createWorkflowLists(options: WorkflowListsOptions): DiscoverExecutions {
  const refresh = createListRefresh({ ...options, refOf: options.resolution.refOf });
  const discover = options.hasUnviewed ? createDiscovery(options) : rejectSchedules;
  return async (query) => {
    await refresh(query);
    return discover(query);
  };
}

const rejectSchedules: DiscoverExecutions = async ({ scheduleId }) => {
  if (scheduleId === undefined) return undefined;
  const message = 'scheduleId: this server does not list workflows from Temporal (TEMPORAL_LIST)';
  throw new ExecstreamError('BAD_USER_INPUT', message);
};
