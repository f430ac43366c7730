// The rows of child workflows: created when the history of the parent reports their start, so that the state of the parent
// lists them, and a request for one is served, although nobody has viewed them. They are those of a first view.
import { isExecstreamError } from '../../event/errors.ts';
import { isExecutionId } from '../../event/execution-id.ts';
import type { ExecutionStore, ExecutionSummary } from '../../execution/store.ts';
import { type HistoryEvent, toMs } from '../shared/history-event.ts';
import { summaryOf } from './display-names.ts';
import { isTemporalError } from './errors.ts';
import type { LatestRun } from './latest-run.ts';
import type { Resolution } from './resolve.ts';
import type { TemporalClient, WorkflowRef, WorkflowRun } from './temporal-client.ts';

/** A child workflow that Temporal has started. */
export interface StartedChild {
  readonly workflowId: string;
  readonly runId: string;
  /** What its user wrote for display, or its type. */
  readonly name: string;
  readonly namespace: string | undefined;
  /** When the parent was informed of the start, in ms since 1970. */
  readonly reportedAt: number;
}

/**
 * Creates the rows of children that have none yet, and replaces those of former runs. Call it before their start is in
 * the log.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the store is unavailable
 */
export type BeginChildren = (
  parentId: string,
  run: Pick<WorkflowRun, 'namespace'>,
  children: readonly StartedChild[],
) => Promise<void>;

export interface ChildRowsOptions {
  readonly temporal: Pick<TemporalClient, 'namespace' | 'describe'>;
  readonly store: Pick<ExecutionStore, 'begin' | 'getMany'>;
  readonly resolution: Pick<Resolution, 'resolveWorkflow' | 'begin' | 'idsFrom'>;
  readonly latest: LatestRun['latest'];
}

/** Children whose rows are created concurrently. */
const BATCH = 20;

/** Collects the children that a history reports as started. Pass it every event from the first, in order. */
export function createChildCollector(): (events: readonly HistoryEvent[]) => StartedChild[] {
  const summaries = new Map<string, string>();
  return (events) =>
    events.flatMap((event) => {
      const summary = event.startChildWorkflowExecutionInitiatedEventAttributes && summaryOf(event);
      if (summary) summaries.set(String(event.eventId), summary);
      const started = event.childWorkflowExecutionStartedEventAttributes;
      const { workflowId, runId } = started?.workflowExecution ?? {};
      if (!started || !workflowId || !runId || !isExecutionId(workflowId)) return [];
      const name = summaries.get(String(started.initiatedEventId)) ?? started.workflowType?.name ?? '';
      const reportedAt = toMs(event.eventTime);
      return { workflowId, runId, name, namespace: started.namespace || undefined, reportedAt };
    });
}

export function createChildRows({ temporal, store, resolution, latest }: ChildRowsOptions): BeginChildren {
  async function begin(parentId: string, namespace: string, { id, child }: NamedChild): Promise<void> {
    const { workflowId } = child;
    const ref = { namespace: child.namespace ?? namespace, workflowId };
    try {
      // The application decides who may see a workflow, also before its first view.
      const resolved = await resolution.resolveWorkflow(id);
      if (resolved?.workflowId !== workflowId) return;
      if ((resolved.namespace ?? temporal.namespace) !== ref.namespace) return;
      const { tenant } = resolved;
      const run = await describe(ref);
      if (!run) await beginUnknown(parentId, id, child, tenant);
      // A later workflow has the same id, and perhaps another parent.
      else if (run.firstRunId !== child.runId) await resolution.begin(id, run, tenant);
      else await resolution.begin(id, { ...run, summary: run.summary ?? child.name }, tenant, { parentId });
    } catch (error) {
      if (isExecstreamError(error, 'SOURCE_UNAVAILABLE')) throw error;
      // Another process created the row concurrently, it may not have this parent, or the application does not know it:
      // that is decided at its first view, and is no reason to stop the stream of the parent.
    }
  }

  /** The current run under the id of a child; undefined if Temporal does not return it. */
  async function describe(ref: WorkflowRef): Promise<WorkflowRun | undefined> {
    try {
      return await temporal.describe(ref);
    } catch (error) {
      if (isTemporalError(error)) return undefined;
      throw error;
    }
  }

  /** The row of a child that was deleted, or that cannot be described at present. */
  async function beginUnknown(
    parentId: string,
    id: string,
    { workflowId, runId, name, reportedAt }: StartedChild,
    tenant: string | undefined,
  ): Promise<void> {
    await store.begin({
      ...{ id, kind: 'workflow', mode: 'STRUCTURED', attempt: 1, workflowId, runId, parentId },
      startedAt: new Date(reportedAt),
      ...(name && { name }),
      ...(tenant !== undefined && { tenant }),
    });
  }

  /** The row has the id of another run, which a request for the id would replace as well. */
  async function replaceFormer(row: ExecutionSummary, { runId }: StartedChild): Promise<void> {
    if (row.runId !== undefined && row.runId !== runId) await latest(row, 'stream');
  }

  return async (parentId, { namespace }, children) => {
    const toExecutionId = resolution.idsFrom({ namespace });
    const named = children.flatMap((child) => {
      const id = toExecutionId(child.namespace ?? namespace, child.workflowId);
      return id === undefined ? [] : { id, child };
    });
    for (let i = 0; i < named.length; i += BATCH) {
      const batch = named.slice(i, i + BATCH);
      const rows = await store.getMany(batch.map(({ id }) => id));
      const known = new Map(rows.map((row) => [row.id, row]));
      await Promise.all(
        batch.map((each) => {
          const row = known.get(each.id);
          return row ? replaceFormer(row, each.child) : begin(parentId, namespace, each);
        }),
      );
    }
  };
}

/** A child, and the id of its execution. */
interface NamedChild {
  readonly id: string;
  readonly child: StartedChild;
}
