// Temporal as the source of workflows' events: while an execution has viewers, one watcher in the cluster copies the
// events of its workflow, and its end, into the log.
//
// An execution that is not a Temporal workflow is left to the fallback source.
import { Counts } from '../../async/counts.ts';
import type { Leases } from '../../coordination/lease.ts';
import { DEFAULT_SIZE_LIMITS, type SizeLimits } from '../../event/size-limits.ts';
import type { DiscoverExecutions } from '../../execution/discovery.ts';
import type { Execution, ExecutionStore, ExecutionSummary, OpenExecution } from '../../execution/store.ts';
import type { ListRuns } from '../../execution/workflow-runs.ts';
import type { LogReader, LogWriter } from '../../log/log.ts';
import { type Audience, DELETED_MS, type Follow, followBy, type Source } from '../../source/source.ts';
import type { ErrorLogger } from '../../telemetry/logger.ts';
import type { PayloadDecoder } from '../shared/payloads.ts';
import { createChildRows } from './child-rows.ts';
import { createLatestRun, type LatestRun } from './latest-run.ts';
import { createMissedRuns, type MissedRuns } from './missed-runs.ts';
import { createOpenWorkflowSweep } from './open-workflow-sweep.ts';
import { createResolution, isTemporalWorkflow, type ResolveWorkflow } from './resolve.ts';
import { createRestoreLog, type RestoreLog } from './restore-log.ts';
import { createRunList } from './run-list.ts';
import { createSettling } from './settling.ts';
import type { TemporalClient } from './temporal-client.ts';
import { DEFAULT_WATCH_TIMES } from './watch-context.ts';
import { followWorkflow, type TemporalTimes } from './workflow-follower.ts';
import { createWorkflowLists } from './workflow-lists.ts';

const DEFAULT_TIMES: SourceTimes = {
  ...DEFAULT_WATCH_TIMES,
  leaseMs: 5_000,
  standbyMs: 1_000,
  deletedMs: DELETED_MS,
  sweepMs: 4_000,
};

/** Intervals and timeouts in ms. */
interface SourceTimes extends TemporalTimes {
  /**
   * How often open workflows without viewers are checked.
   * @default 4000
   */
  readonly sweepMs: number;
}

/** Nobody views an execution whose end is recorded. */
const NOBODY: Audience = { incarnation: undefined, pollMs: 1_000, warn() {}, setActiveWarning() {} };

export interface TemporalSourceOptions extends Partial<SourceTimes> {
  readonly temporal: TemporalClient;
  readonly log: LogWriter & LogReader & Leases;
  readonly store: ExecutionStore;
  /**
   * Resolves the id of an execution without a row to a workflow.
   * @default the workflow with that id in the namespace of `temporal`; with `namespaces`, `<namespace>:<workflow id>`
   *   names one of another namespace
   */
  readonly resolve?: ResolveWorkflow | undefined;
  /**
   * Other namespaces whose workflows are watched, if there is no hook. Without colons.
   * @default none
   */
  readonly namespaces?: readonly string[] | undefined;
  /**
   * The tenant of those workflows, if there is no hook.
   * @default none: only callers without a tenant see them
   */
  readonly tenant?: string | undefined;
  /**
   * Whether lists contain workflows that nobody has viewed, from Temporal's visibility. Not with a hook.
   * @default false
   */
  readonly lists?: boolean | undefined;
  /**
   * Decodes inputs and results of workflows that do not use execstream, for everyone who may read them.
   * @default they are not shown
   */
  readonly decodePayload?: PayloadDecoder | undefined;
  /**
   * Whether a workflow that has a Workflow Stream is polled for the items that it publishes itself. A poll is an update: it
   * adds five events to the history of the workflow. Items that activities and clients publish need no poll.
   * @default true
   */
  readonly pollsStreams?: boolean | undefined;
  /**
   * Limits of the events.
   * @default DEFAULT_SIZE_LIMITS
   */
  readonly sizes?: SizeLimits | undefined;
  /** Receives a line for each failure that viewers are warned of, with what Temporal reported. */
  readonly logger?: ErrorLogger | undefined;
  /** The source of all other executions. */
  readonly otherwise: Source;
  /** Appends the end of a row to its log; see `EndReconciler`. */
  readonly reconcileEnd: (row: Execution) => Promise<void>;
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
  /**
   * The row of one run of a workflow, which is created at its first view; undefined if Temporal does not know the run.
   * @param workflow the row of the workflow
   * @throws as `find`
   */
  findRun(workflow: ExecutionSummary, runId: string): Promise<Execution | undefined>;
  /** Lists the runs of a workflow. */
  readonly listRuns: ListRuns;
  /** The row of the latest run under the id of an execution, or of a pinned run. */
  readonly latest: LatestRun['latest'];
  /** The row of the run that a viewer with a cursor of an earlier one gets first; undefined for the latest run. */
  readonly missedRun: MissedRuns['next'];
  readonly restoreLog: RestoreLog;
  /** Brings the rows of a list up to date, and creates those that it lacks if lists have workflows that nobody has viewed. */
  readonly discover: DiscoverExecutions;
  /** Starts to record the ends of workflows that have no viewers; returns how to stop that. */
  readonly startSweeping: () => () => void;
}

export function createTemporalSource(options: TemporalSourceOptions): TemporalSource {
  const {
    temporal,
    log,
    store,
    otherwise,
    reconcileEnd,
    decodePayload,
    pollsStreams = true,
    logger,
    sizes = DEFAULT_SIZE_LIMITS,
  } = options;
  const times: SourceTimes = { ...DEFAULT_TIMES, ...options };
  const resolution = createResolution(options);
  const { find, findRun, refOf, idsFrom } = resolution;
  const beginChildren = createChildRows({
    ...{ temporal, store, resolution },
    latest: (row, use) => latest(row, use),
  });
  const follower = {
    ...{ temporal, log, store, times, sizes, logger },
    ...{ decodePayload, pollsStreams, refOf, idsFrom, reconcileEnd, beginChildren },
  };
  const hasUnviewed = options.lists === true && !options.resolve;
  const followed = new Counts();
  const settling = createSettling((executionId, signal) =>
    followWorkflow(follower, executionId, NOBODY, signal),
  );
  // Rows of children that were deleted in the meantime stay deleted.
  const restorer = { ...follower, restores: true, beginChildren: async () => {} };
  const restoring = createSettling((executionId, signal) =>
    followWorkflow(restorer, executionId, NOBODY, signal),
  );
  const restoreLog = createRestoreLog({ log, store, copy: restoring.settle });
  const missedRuns = createMissedRuns({ temporal, store, log, resolution });
  const latestRun = {
    ...{ temporal, store, log, resolution },
    ...{ settle: settling.settle, onReplace: missedRuns.record },
  };
  const { latest } = createLatestRun(latestRun);
  // Checks of workflows without viewers wait for everything else.
  const describe: TemporalClient['describe'] = (ref) => temporal.describe(ref, 'sweep');
  const swept = createLatestRun({ ...latestRun, temporal: { describe } });
  const startSweep = createOpenWorkflowSweep({
    ...{ log, store, temporal, refOf, latest: swept.latest, sweepMs: times.sweepMs },
    isFollowed: (executionId) => followed.of(executionId) > 0,
  });

  return {
    follow: followBy(async (executionId, audience, signal) => {
      followed.increment(executionId);
      // Without the log or the store there is nothing to note, and the follower waits for them.
      const observing = missedRuns.observe(executionId).catch(() => undefined);
      const outcome = await followWorkflow(follower, executionId, audience, signal).finally(() => {
        followed.decrement(executionId);
        void observing.then((stop) => stop?.()).catch(() => {});
      });
      if (outcome === 'other') await followUntil(otherwise.follow, executionId, audience, signal);
    }),
    async copy(executionId) {
      const row = await store.get(executionId);
      if (row && !isTemporalWorkflow(row)) await otherwise.copy(executionId);
    },
    decidesEnd: isTemporalWorkflow,
    find,
    findRun,
    listRuns: createRunList(temporal, resolution),
    latest,
    missedRun: missedRuns.next,
    restoreLog,
    discover: createWorkflowLists({ ...options, resolution, latest, hasUnviewed }),
    startSweeping() {
      const stop = startSweep();
      return () => {
        stop();
        settling.stop();
        restoring.stop();
      };
    },
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
