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
import type { TemporalClient, WorkflowRun } from './temporal-client.ts';

/** A child workflow that Temporal has started. */
export interface StartedChild {
  /** The id of its workflow, which is the id of its execution. */
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
  readonly resolution: Pick<Resolution, 'resolveWorkflow' | 'begin'>;
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
  async function begin(parentId: string, namespace: string, child: StartedChild): Promise<void> {
    const { workflowId } = child;
    try {
      // The application decides who may see a workflow, also before its first view.
      const resolved = await resolution.resolveWorkflow(workflowId);
      if (resolved?.workflowId !== workflowId) return;
      if ((resolved.namespace ?? temporal.namespace) !== namespace) return;
      const { tenant } = resolved;
      const run = await describe(parentId, namespace, child);
      if (run) await resolution.begin(workflowId, run, tenant);
      else await beginUnknown(parentId, child, tenant);
    } catch (error) {
      if (isExecstreamError(error, 'SOURCE_UNAVAILABLE')) throw error;
      // Another process created the row concurrently, it may not have this parent, or the application does not know it:
      // that is decided at its first view, and is no reason to stop the stream of the parent.
    }
  }

  /** The current run under the id of the child; undefined if Temporal does not return it. */
  async function describe(
    parentId: string,
    namespace: string,
    { workflowId, runId, name }: StartedChild,
  ): Promise<WorkflowRun | undefined> {
    try {
      const run = await temporal.describe({ namespace, workflowId });
      // A later workflow has the same id, and perhaps another parent.
      if (run.firstRunId !== runId) return run;
      return { ...run, parentId, summary: run.summary ?? name };
    } catch (error) {
      if (isTemporalError(error)) return undefined;
      throw error;
    }
  }

  /** The row of a child that was deleted, or that cannot be described at present. */
  async function beginUnknown(
    parentId: string,
    { workflowId, runId, name, reportedAt }: StartedChild,
    tenant: string | undefined,
  ): Promise<void> {
    await store.begin({
      ...{ id: workflowId, kind: 'workflow', mode: 'STRUCTURED', attempt: 1, workflowId, runId, parentId },
      startedAt: new Date(reportedAt),
      ...(name && { name }),
      ...(tenant !== undefined && { tenant }),
    });
  }

  /** The row has the id of another run, which a request for the id would replace as well. */
  async function replaceFormer(row: ExecutionSummary, { runId }: StartedChild): Promise<void> {
    if (row.runId !== undefined && row.runId !== runId) await latest(row, 'stream');
  }

  return async (parentId, run, children) => {
    const own = children.filter(({ namespace = run.namespace }) => namespace === run.namespace);
    for (let i = 0; i < own.length; i += BATCH) {
      const batch = own.slice(i, i + BATCH);
      const rows = await store.getMany(batch.map((child) => child.workflowId));
      const known = new Map(rows.map((row) => [row.id, row]));
      await Promise.all(
        batch.map((child) => {
          const row = known.get(child.workflowId);
          return row ? replaceFormer(row, child) : begin(parentId, run.namespace, child);
        }),
      );
    }
  };
}
