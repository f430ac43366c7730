// Lists the runs of a workflow, from Temporal's visibility. Runs of one workflow do not overlap, so their order by start is
// that of Temporal's lists, which is by close time.
import type { ListRuns, RunPosition } from '../../execution/workflow-runs.ts';
import { isTemporalError, toViewerError } from './errors.ts';
import { quote } from './grpc-visibility.ts';
import type { Resolution } from './resolve.ts';
import type { TemporalClient, VisibilityRequest, VisibleRun } from './temporal-client.ts';

export function createRunList(temporal: TemporalClient, { refOf }: Pick<Resolution, 'refOf'>): ListRuns {
  async function read(request: VisibilityRequest): Promise<readonly VisibleRun[]> {
    try {
      return await temporal.list(request);
    } catch (error) {
      throw isTemporalError(error) ? toViewerError(error) : error;
    }
  }

  return async (workflow, { first, after }) => {
    const { namespace, workflowId } = await refOf(workflow);
    const isOfWorkflow = `WorkflowId = ${quote(workflowId)}`;
    const query = after ? `${isOfWorkflow} AND StartTime <= ${quote(after.startedAt)}` : isOfWorkflow;
    // One more than requested shows whether there is a next page. With a position, its own run is found again.
    const limit = first + (after ? 2 : 1);
    const found = (await read({ namespace, query, limit })).toSorted(compareByAge);
    // Some databases of Temporal compare ids without case.
    const runs = found.filter(
      (run) => run.workflowId === workflowId && (!after || compareByAge(after, run) < 0),
    );
    if (runs.length > first) return { runs: runs.slice(0, first), hasNextPage: true };
    return { runs, hasNextPage: found.length === limit, end: found.at(-1) };
  };
}

/** Newest first. */
function compareByAge(a: RunPosition, b: RunPosition): number {
  if (a.startedAt !== b.startedAt) return a.startedAt > b.startedAt ? -1 : 1;
  return a.runId < b.runId ? -1 : Number(a.runId > b.runId);
}
