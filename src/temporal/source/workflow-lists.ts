// What precedes the reading of a page of a list: the rows of workflows are brought up to date, and if lists have workflows
// that nobody has viewed, these get rows.
import { type DiscoverExecutions, rejectWorkflowFilters } from '../../execution/discovery.ts';
import { createDiscovery, type DiscoveryOptions } from './discovery.ts';
import { createListRefresh } from './list-refresh.ts';
import type { Resolution } from './resolve.ts';

export interface WorkflowListsOptions extends DiscoveryOptions {
  readonly resolution: Pick<Resolution, 'find' | 'idsFrom' | 'refOf' | 'resolveWorkflow'>;
  /** Whether lists have workflows that nobody has viewed. */
  readonly hasUnviewed: boolean;
}

export function createWorkflowLists(options: WorkflowListsOptions): DiscoverExecutions {
  const refresh = createListRefresh({ ...options, refOf: options.resolution.refOf });
  const discover = options.hasUnviewed ? createDiscovery(options) : onlyRows;
  return async (query) => {
    await refresh(query);
    return discover(query);
  };
}

const onlyRows: DiscoverExecutions = async (query) => {
  rejectWorkflowFilters(query);
  return undefined;
};
