// The rows of child workflows: created when the history of the parent reports their start, so that the state of the parent
// lists them, and a request for one is served, although nobody has viewed them.
import { isExecstreamError } from '../../event/errors.ts';
import { isExecutionId } from '../../event/execution-id.ts';
import type { ExecutionStore } from '../../execution/store.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import { summaryOf } from './display-names.ts';
import type { Resolution } from './resolve.ts';
import type { WorkflowRun } from './temporal-client.ts';

/** A child workflow that Temporal has started. */
export interface StartedChild {
  readonly workflowId: string;
  readonly runId: string;
  /** What its user wrote for display, or its type. */
  readonly name: string;
  readonly namespace: string | undefined;
}

/**
 * Creates the rows of children that have none yet. Call it before their start is in the log.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the store is unavailable
 */
export type BeginChildren = (
  parentId: string,
  run: Pick<WorkflowRun, 'namespace'>,
  children: readonly StartedChild[],
) => Promise<void>;

export interface ChildRowsOptions {
  readonly store: Pick<ExecutionStore, 'begin' | 'getMany'>;
  readonly resolution: Pick<Resolution, 'resolveWorkflow' | 'idsFrom'>;
  /** The namespace of workflows for which `resolveWorkflow` names none. */
  readonly namespace: string;
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
      return { workflowId, runId, name, namespace: started.namespace || undefined };
    });
}

export function createChildRows(options: ChildRowsOptions): BeginChildren {
  const { store, resolution, namespace: defaultNamespace } = options;

  async function begin(parentId: string, namespace: string, { id, child }: NamedChild): Promise<void> {
    const { workflowId, runId, name } = child;
    try {
      // The application decides who may see a workflow, also before its first view.
      const resolved = await resolution.resolveWorkflow(id);
      if (resolved?.workflowId !== workflowId) return;
      if ((resolved.namespace ?? defaultNamespace) !== (child.namespace ?? namespace)) return;
      const { tenant } = resolved;
      await store.begin({
        ...{ id, kind: 'workflow', mode: 'STRUCTURED', attempt: 1, workflowId, runId, parentId },
        ...(name && { name }),
        ...(tenant !== undefined && { tenant }),
      });
    } catch (error) {
      if (isExecstreamError(error, 'SOURCE_UNAVAILABLE')) throw error;
      // Another process created the row concurrently, it may not have this parent, or the application does not know it:
      // that is decided at its first view, and is no reason to stop the stream of the parent.
    }
  }

  return async (parentId, { namespace }, children) => {
    const toExecutionId = resolution.idsFrom({ namespace });
    const named = children.flatMap((child) => {
      const id = toExecutionId(child.namespace ?? namespace, child.workflowId);
      return id === undefined ? [] : { id, child };
    });
    for (let i = 0; i < named.length; i += BATCH) {
      const batch = named.slice(i, i + BATCH);
      const known = new Set((await store.getMany(batch.map(({ id }) => id))).map(({ id }) => id));
      const missing = batch.filter(({ id }) => !known.has(id));
      await Promise.all(missing.map((child) => begin(parentId, namespace, child)));
    }
  };
}

/** A child, and the id of its execution. */
interface NamedChild {
  readonly id: string;
  readonly child: StartedChild;
}
