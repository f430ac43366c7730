// From an execution's id to a workflow of Temporal's: by its row, and for one that has none by a hook.
import { isExecstreamError } from '../../event/errors.ts';
import type { Execution, ExecutionStore } from '../../execution/store.ts';
import { decodeFirst, type PayloadDecoder } from '../shared/payloads.ts';
import { isTemporalError, refusalOf } from './errors.ts';
import type { TemporalClient, WorkflowRef } from './temporal-client.ts';

/** A workflow as an application names it. */
export interface ResolvedWorkflow {
  /** The configured one where absent. */
  readonly namespace?: string;
  readonly workflowId: string;
  /** The current run where absent. */
  readonly runId?: string;
  /** Whose the execution is; nobody's where absent. */
  readonly tenant?: string;
}

/** Says which workflow an execution's id names; undefined where it names none. */
export type ResolveWorkflow = (
  executionId: string,
) => ResolvedWorkflow | undefined | Promise<ResolvedWorkflow | undefined>;

export interface ResolutionOptions {
  readonly temporal: TemporalClient;
  readonly store: ExecutionStore;
  readonly resolve?: ResolveWorkflow | undefined;
  /** Whose the workflows are that nobody has begun here, where there is no hook to say it. */
  readonly tenant?: string | undefined;
  readonly decodePayload?: PayloadDecoder | undefined;
}

export function createResolution({ temporal, store, resolve, tenant, decodePayload }: ResolutionOptions) {
  const own = tenant !== undefined && { tenant };
  const resolved: ResolveWorkflow = resolve ?? ((executionId) => ({ workflowId: executionId, ...own }));

  /**
   * The row of a workflow that has none yet, made on first view.
   * @param viewer whose tenant asks. Where nothing says whose the workflow is, it is not for one of many tenants.
   */
  async function find(executionId: string, viewer: string | undefined): Promise<Execution | undefined> {
    const found = await resolved(executionId);
    if (!found || (!resolve && viewer !== tenant && viewer !== undefined)) return undefined;
    const { namespace = temporal.namespace, workflowId, runId, tenant: owner } = found;
    try {
      const run = await temporal.describe({ namespace, workflowId, ...(runId !== undefined && { runId }) });
      return await beginRow(executionId, run, owner);
    } catch (error) {
      if (!isTemporalError(error)) throw error;
      const refusal = refusalOf(error);
      if (isExecstreamError(refusal, 'NOT_FOUND')) return undefined;
      throw refusal;
    }
  }

  async function beginRow(
    executionId: string,
    run: Awaited<ReturnType<TemporalClient['describe']>>,
    owner: string | undefined,
  ): Promise<Execution | undefined> {
    const { workflowId, workflowType: name, firstRunId, attempt, parentId } = run;
    const input = decodePayload && (await inputOf(run, decodePayload));
    // A parent that has no row of its own is named all the same: it may be viewed later.
    const parent = parentId !== undefined && (await store.get(parentId).catch(() => undefined));
    try {
      return await store.begin({
        ...{ id: executionId, kind: 'workflow', mode: 'STRUCTURED', attempt, workflowId, runId: firstRunId },
        ...(name && { name }),
        ...(parent && { parentId: parent.id }),
        ...(owner !== undefined && { tenant: owner }),
        ...(input !== undefined && { input }),
      });
    } catch (error) {
      // Begun meanwhile, by a sink or another server: at a later attempt, up to its end, or for its tenant.
      const isKnown = (['SUPERSEDED', 'ENDED', 'FORBIDDEN'] as const).some((code) =>
        isExecstreamError(error, code),
      );
      if (isKnown) return store.get(executionId);
      throw error;
    }
  }

  async function inputOf(run: WorkflowRef, decode: PayloadDecoder) {
    const { events } = await temporal.history({ run, limit: 1 });
    return decodeFirst(events[0]?.workflowExecutionStartedEventAttributes?.input, decode);
  }

  /** The workflow behind a row, which knows its id; the namespace is the hook's to say. */
  async function refOf(row: Execution): Promise<WorkflowRef> {
    const found = await resolved(row.id);
    const namespace = found?.namespace ?? temporal.namespace;
    return { namespace, workflowId: row.workflowId ?? found?.workflowId ?? row.id };
  }

  return { find, refOf };
}
