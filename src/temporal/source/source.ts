// Temporal as the source of workflows' events: while an execution has viewers, one watcher in the cluster copies the
// events of its workflow, and its end, into the log.
//
// An execution that is not a Temporal workflow is left to the fallback source.
import type { Leases } from '../../coordination/lease.ts';
import { DEFAULT_SIZE_LIMITS, type SizeLimits } from '../../event/size-limits.ts';
import type { Execution, ExecutionStore, OpenExecution } from '../../execution/store.ts';
import type { LogReader, LogWriter } from '../../log/log.ts';
import { type Audience, type Follow, followBy, type Source } from '../../source/source.ts';
import type { PayloadDecoder } from '../shared/payloads.ts';
import { createChildRows } from './child-rows.ts';
import { createResolution, isTemporalWorkflow, type ResolveWorkflow } from './resolve.ts';
import type { TemporalClient } from './temporal-client.ts';
import { DEFAULT_WATCH_TIMES } from './watch-context.ts';
import { followWorkflow, type TemporalTimes } from './workflow-follower.ts';

const DEFAULT_TIMES: TemporalTimes = { ...DEFAULT_WATCH_TIMES, leaseMs: 5_000, standbyMs: 1_000 };

export interface TemporalSourceOptions extends Partial<TemporalTimes> {
  readonly temporal: TemporalClient;
  readonly log: LogWriter & LogReader & Leases;
  readonly store: ExecutionStore;
  /**
   * Resolves the id of an execution without a row to a workflow.
   * @default the workflow with that id, in the configured namespace
   */
  readonly resolve?: ResolveWorkflow | undefined;
  /**
   * The tenant of those workflows, if there is no hook.
   * @default none: only callers without a tenant see them
   */
  readonly tenant?: string | undefined;
  /**
   * Decodes inputs and results of workflows that do not use execstream, for everyone who may read them.
   * @default they are not shown
   */
  readonly decodePayload?: PayloadDecoder | undefined;
  /**
   * Limits of the events.
   * @default DEFAULT_SIZE_LIMITS
   */
  readonly sizes?: SizeLimits | undefined;
  /** The source of all other executions. */
  readonly otherwise: Source;
}

/** `copy` does nothing for a workflow: a watcher that follows the execution copies its end as well. */
export interface TemporalSource extends Source {
  /** Whether Temporal decides how this execution ends. */
  decidesEnd(row: OpenExecution): boolean;
  /**
   * Creates the row of a workflow that has none; undefined if there is no such workflow for a viewer of this tenant.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if Temporal or the store is unavailable.
   */
  find(executionId: string, tenant: string | undefined): Promise<Execution | undefined>;
}

export function createTemporalSource(options: TemporalSourceOptions): TemporalSource {
  const { temporal, log, store, otherwise, decodePayload, sizes = DEFAULT_SIZE_LIMITS } = options;
  const times: TemporalTimes = { ...DEFAULT_TIMES, ...options };
  const { find, refOf, resolveWorkflow } = createResolution(options);
  const beginChildren = createChildRows({ store, resolveWorkflow, namespace: temporal.namespace });
  const { copy: copyRow } = otherwise;
  const follower = { temporal, log, store, times, sizes, decodePayload, refOf, copyRow, beginChildren };

  return {
    follow: followBy(async (executionId, audience, signal) => {
      const outcome = await followWorkflow(follower, executionId, audience, signal);
      if (outcome === 'other') await followUntil(otherwise.follow, executionId, audience, signal);
    }),
    async copy(executionId) {
      const row = await store.get(executionId);
      if (row && !isTemporalWorkflow(row)) await copyRow(executionId);
    },
    decidesEnd: isTemporalWorkflow,
    find,
  };
}

/** Follows by another source until the signal aborts and that source has stopped. */
function followUntil(
  follow: Follow,
  executionId: string,
  audience: Audience,
  signal: AbortSignal,
): Promise<void> {
  const stop = follow(executionId, audience);
  return new Promise((resolve) => {
    const end = async () => resolve(await stop());
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) void end();
  });
}
