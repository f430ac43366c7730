// Lists the runs of a workflow, from Temporal's visibility. Runs of one workflow do not overlap, so their order by start is
// that of Temporal's lists, which is by close time.
import type { ListRuns, RunPosition } from '../../execution/workflow-runs.ts';
import { isTemporalError, toViewerError } from './errors.ts';
import { quote } from './grpc-visibility.ts';
import type { Resolution } from './resolve.ts';
import type { TemporalClient, VisibilityRequest, VisibleRun } from './temporal-client.ts';

/** Runs that one request to Temporal returns. */
const MAX_RUNS = 1_000;

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
    const { filter, isExact } = filterOfRuns(workflowId);
    const query = [...filter, ...(after ? [`StartTime <= ${quote(after.startedAt)}`] : [])].join(' AND ');
    // One more than requested shows whether there is a next page. With a position, its own run is found again.
    const limit = isExact ? first + (after ? 2 : 1) : MAX_RUNS;
    const found = (await read({ namespace, query, limit })).toSorted(compareByAge);
    // Some databases of Temporal compare ids without case.
    const runs = found.filter(
      (run) => run.workflowId === workflowId && (!after || compareByAge(after, run) < 0),
    );
    if (runs.length > first) return { runs: runs.slice(0, first), hasNextPage: true };
    return { runs, hasNextPage: found.length === limit, end: found.at(-1) };
  };
}

/**
 * The conditions for the runs of a workflow. Temporal does not find all characters that it accepts in ids: if there is one,
 * the runs of all ids with the same beginning are read.
 */
export function filterOfRuns(workflowId: string): {
  readonly filter: readonly string[];
  readonly isExact: boolean;
} {
  const [findable = ''] = /^(?!')[^"\\\p{Cc}]*(?<!')/u.exec(workflowId) ?? [];
  if (findable === workflowId) return { filter: [`WorkflowId = ${quote(workflowId)}`], isExact: true };
  const filter = findable === '' ? [] : [`WorkflowId STARTS_WITH ${quote(findable)}`];
  return { filter, isExact: false };
}

/** Newest first. */
function compareByAge(a: RunPosition, b: RunPosition): number {
  if (a.startedAt !== b.startedAt) return a.startedAt > b.startedAt ? -1 : 1;
  return a.runId < b.runId ? -1 : Number(a.runId > b.runId);
}
