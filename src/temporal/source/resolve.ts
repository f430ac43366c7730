// Maps an execution's id to a Temporal workflow: by its row, or without a row by a hook of the application.
import { isExecstreamError } from '../../event/errors.ts';
import { isPinnedRun, parseKey, pinnedRunKey } from '../../event/execution-key.ts';
import type { Execution, ExecutionStore, ExecutionSummary, OpenExecution } from '../../execution/store.ts';
import { decodeArguments, type PayloadDecoder } from '../shared/payloads.ts';
import { isTemporalError, toViewerError } from './errors.ts';
import { createNamespaceIds, idsWithin, type ToExecutionId } from './namespace-ids.ts';
import { withCodec } from './payload-decoder.ts';
import type { TemporalClient, WorkflowRef, WorkflowRun } from './temporal-client.ts';

/** The workflow that an execution's id names. */
export interface ResolvedWorkflow {
  /** @default the configured namespace */
  readonly namespace?: string;
  readonly workflowId: string;
  /** @default the current run */
  readonly runId?: string;
  /** @default no tenant */
  readonly tenant?: string;
}

/** Resolves an execution's id to a workflow; undefined if there is none. */
export type ResolveWorkflow = (
  executionId: string,
) => ResolvedWorkflow | undefined | Promise<ResolvedWorkflow | undefined>;

/** Whether an execution is a Temporal workflow. */
export function isTemporalWorkflow({ kind, workflowId }: OpenExecution): boolean {
  return kind === 'workflow' && workflowId !== undefined;
}

export interface ResolutionOptions {
  readonly temporal: TemporalClient;
  readonly store: ExecutionStore;
  readonly resolve?: ResolveWorkflow | undefined;
  /** Other namespaces whose workflows are watched, if there is no hook. */
  readonly namespaces?: readonly string[] | undefined;
  /** The tenant of workflows without a row, if there is no hook. */
  readonly tenant?: string | undefined;
  readonly decodePayload?: PayloadDecoder | undefined;
}

interface BeginOptions {
  /** The start of the row that is replaced. */
  readonly after?: Date;
  /**
   * The execution id of the parent.
   * @default that of the workflow which started the run, if it is watched
   */
  readonly parentId?: string;
}

export interface Resolution {
  /**
   * Creates the row of a workflow that has none yet, at its first view.
   * @param viewerTenant the tenant of the caller. Without a hook, a caller of another tenant than the configured one
   *   does not see the workflow.
   */
  find(executionId: string, viewerTenant: string | undefined): Promise<Execution | undefined>;
  /**
   * Returns the row of a pinned run, and creates it at the first view of the run; undefined if Temporal does not know the
   * run.
   * @param workflow the row of its workflow, which has the same owner
   */
  findRun(workflow: ExecutionSummary, runId: string): Promise<Execution | undefined>;
  /**
   * Begins the row of a run, which replaces that of an earlier one.
   * @param key of the execution, or of a pinned run
   * @param tenant the owner
   */
  begin(
    key: string,
    run: WorkflowRun,
    tenant: string | undefined,
    options?: BeginOptions,
  ): Promise<Execution | undefined>;
  /** The workflow of a row, and its run if it is pinned. The row has the id of the workflow, and the hook its namespace. */
  refOf(row: Pick<ExecutionSummary, 'id' | 'workflowId'>): Promise<WorkflowRef>;
  /** The hook, or its default. */
  readonly resolveWorkflow: ResolveWorkflow;
  /**
   * Names the executions of workflows to which one of this namespace refers. With a hook, it can refer to workflows of the
   * same namespace, whose ids are the workflow ids.
   */
  idsFrom(workflow: Pick<WorkflowRef, 'namespace'>): ToExecutionId;
}

export function createResolution(options: ResolutionOptions): Resolution {
  const { temporal, store, resolve, tenant, decodePayload, namespaces = [] } = options;
  const ids = createNamespaceIds(temporal.namespace, namespaces);
  const resolveWorkflow: ResolveWorkflow = resolve ?? resolveById;
  const idsFrom: Resolution['idsFrom'] = ({ namespace }) => (resolve ? idsWithin(namespace) : ids.format);

  function resolveById(executionId: string): ResolvedWorkflow | undefined {
    const workflow = ids.parse(executionId);
    return workflow && { ...workflow, ...(tenant !== undefined && { tenant }) };
  }

  async function find(executionId: string, viewerTenant: string | undefined): Promise<Execution | undefined> {
    const workflow = await resolveWorkflow(executionId);
    if (!workflow || (!resolve && viewerTenant !== tenant && viewerTenant !== undefined)) return undefined;
    const { namespace = temporal.namespace, workflowId, runId, tenant: owner } = workflow;
    return beginFirst(executionId, { namespace, workflowId, ...(runId !== undefined && { runId }) }, owner);
  }

  async function findRun(
    { id, workflowId, tenant: owner }: ExecutionSummary,
    runId: string,
  ): Promise<Execution | undefined> {
    const key = pinnedRunKey(id, runId);
    const known = await store.get(key);
    return known ?? beginFirst(key, await refOf({ id: key, workflowId }), owner);
  }

  /** Creates the row of a run that has none; undefined if Temporal does not know the run. */
  async function beginFirst(
    key: string,
    ref: WorkflowRef,
    owner: string | undefined,
  ): Promise<Execution | undefined> {
    try {
      return await begin(key, await temporal.describe(ref), owner);
    } catch (error) {
      if (!isTemporalError(error)) throw error;
      const rejection = toViewerError(error);
      if (isExecstreamError(rejection, 'NOT_FOUND')) return undefined;
      throw rejection;
    }
  }

  async function begin(
    key: string,
    run: WorkflowRun,
    owner: string | undefined,
    { after, parentId = parentOf(run) }: BeginOptions = {},
  ): Promise<Execution | undefined> {
    const { workflowId, workflowType, summary, attempt } = run;
    const name = summary ?? workflowType;
    const input = decodePayload && (await inputOf(run, decodePayload));
    const first = isPinnedRun(key) ? run : await firstRunOf(run);
    // After a reset of a closed run, the start of its chain is that of the row before.
    const startedAt = after && first.startedAt <= after.getTime() ? run.startedAt : first.startedAt;
    try {
      return await store.begin({
        ...{ id: key, kind: 'workflow', mode: 'STRUCTURED', attempt, workflowId, runId: first.runId },
        startedAt: new Date(startedAt),
        ...(name && { name }),
        ...(parentId !== undefined && { parentId }),
        ...(owner !== undefined && { tenant: owner }),
        ...(input !== undefined && { input }),
      });
    } catch (error) {
      // A sink or another server created the row concurrently: with a later attempt, its end, or its tenant.
      const exists = (['SUPERSEDED', 'ENDED', 'FORBIDDEN'] as const).some((code) =>
        isExecstreamError(error, code),
      );
      if (exists) return store.get(key);
      throw error;
    }
  }

  /** The execution id of the parent, which may be viewed later than its child. */
  function parentOf(run: WorkflowRun): string | undefined {
    return run.parentId === undefined ? undefined : idsFrom(run)(run.namespace, run.parentId);
  }

  /** The first run of the chain; past its retention period, with the start of this run. */
  async function firstRunOf(run: WorkflowRun): Promise<Pick<WorkflowRun, 'runId' | 'startedAt'>> {
    const { namespace, workflowId, firstRunId: runId } = run;
    if (run.runId === runId) return run;
    try {
      return await temporal.describe({ namespace, workflowId, runId });
    } catch (error) {
      if (isTemporalError(error, 'unknown-workflow')) return { runId, startedAt: run.startedAt };
      throw error;
    }
  }

  async function inputOf(run: WorkflowRef, decode: PayloadDecoder) {
    const { events } = await temporal.history({ run, limit: 1 });
    const { input } = events[0]?.workflowExecutionStartedEventAttributes ?? {};
    return decodeArguments(input, withCodec(temporal, run.namespace, decode));
  }

  async function refOf(row: Pick<ExecutionSummary, 'id' | 'workflowId'>): Promise<WorkflowRef> {
    const { executionId, runId } = parseKey(row.id);
    const workflow = await resolveWorkflow(executionId);
    const namespace = workflow?.namespace ?? temporal.namespace;
    const workflowId = row.workflowId ?? workflow?.workflowId ?? executionId;
    return { namespace, workflowId, ...(runId !== undefined && { runId }) };
  }

  return { find, findRun, begin, refOf, resolveWorkflow, idsFrom };
}
