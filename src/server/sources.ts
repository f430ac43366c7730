// Where the events of executions come from that nobody publishes.
import type { SizeLimits } from '../event/size-limits.ts';
import type { ExecutionStore } from '../execution/store.ts';
import type { EventLog } from '../log/log.ts';
import { DEFAULT_LIMITS } from '../publish/limits.ts';
import { createValueState } from '../publish/resend-state.ts';
import { createEndReconciler } from '../source/end-reconciler.ts';
import { createLivenessMonitor, type LivenessTimes } from '../source/liveness-monitor.ts';
import { createRowSource, type RowSourceTimes } from '../source/row-source.ts';
import { createRowWatch } from '../source/row-watch.ts';
import { followAll } from '../source/source.ts';
import type { ErrorLogger } from '../telemetry/logger.ts';
import type { TemporalAddress, TemporalSettings } from '../temporal/source/connection-settings.ts';
import { createTemporalClient } from '../temporal/source/grpc-client.ts';
import { createTemporalSource, type TemporalSourceOptions } from '../temporal/source/source.ts';
import type { TemporalClient } from '../temporal/source/temporal-client.ts';
import { invalid } from './config/env.ts';

export interface Sources {
  /**
   * The Temporal whose workflows are watched: `{ client }`, with a `Client` of `@temporalio/client` that the application
   * has, or `{ address, namespace }`, to which a connection is opened. With false, no workflow of Temporal is watched.
   * @default false
   */
  readonly temporal?: TemporalSettings | TemporalClient | false | undefined;
  /**
   * Whether the rows of executions without a publisher are polled while they have viewers, for changes that other
   * programs write into the store. With false, only their ends are noticed.
   * @default true
   */
  readonly rows?: boolean | undefined;
}

/** How executions are followed that nobody publishes. */
export interface SourceOptions {
  /** When a publisher counts as silent, and as lost. */
  readonly liveness?: Partial<LivenessTimes>;
  /** How the row of an execution without a publisher is polled. */
  readonly rowSource?: Partial<RowSourceTimes>;
  /** How Temporal's workflows are watched: how ids are resolved, and whether payloads are shown. */
  readonly workflows?: Partial<
    Omit<
      TemporalSourceOptions,
      'temporal' | 'log' | 'store' | 'sizes' | 'logger' | 'otherwise' | 'reconcileEnd'
    >
  >;
}

interface SourceParts extends SourceOptions {
  readonly sources?: Sources | undefined;
  readonly log: EventLog;
  readonly store: ExecutionStore;
  readonly logger: ErrorLogger;
  readonly sizes: SizeLimits;
}

/**
 * Constructs what appends events of executions that nobody publishes, and what ends those that were abandoned.
 * @throws ExecstreamError `CONFIG`, naming `sources.temporal`
 */
export function createSources({ log, store, sizes, logger, sources = {}, ...options }: SourceParts) {
  const temporal = openTemporal(sources.temporal, logger);
  const content = { sizes, createValue: () => createValueState(DEFAULT_LIMITS, sizes) };
  const allRows = createRowSource({ log, store, content, ...options.rowSource });
  const rowSource = sources.rows === false ? { ...allRows, follow: () => () => {} } : allRows;
  const { reconcileEnd: reconcileImmediately } = createEndReconciler({ log, store, content, graceMs: 0 });
  const workflowSource =
    temporal &&
    createTemporalSource({
      ...{ ...options.workflows, temporal, log, store, sizes, logger },
      ...{ otherwise: rowSource, reconcileEnd: reconcileImmediately },
    });
  const source = workflowSource ?? rowSource;
  const ends = createEndReconciler({ log, store, content, copyRow: source.copy });
  const liveness = createLivenessMonitor({
    ...{ log, store, reconcileEnd: reconcileImmediately, ...options.liveness },
    ...(workflowSource && { isEndedElsewhere: workflowSource.decidesEnd }),
  });
  const stops = [liveness.startSweeping(), workflowSource?.startSweeping() ?? (() => {})];
  return {
    /** What `Tails` uses of them. */
    forTails: {
      reconcileEnd: ends.reconcileEnd,
      follow: followAll(createRowWatch({ log, store, ...ends }), liveness.follow, source.follow),
      findWorkflow: workflowSource?.find,
      findRun: workflowSource?.findRun,
      latestRun: workflowSource?.latest,
      missedRun: workflowSource?.missedRun,
      restoreLog: workflowSource?.restoreLog,
    },
    listRuns: workflowSource?.listRuns,
    discover: workflowSource?.discover,
    temporalMetrics: temporal?.metrics,
    stopSweeping() {
      for (const stop of stops) stop();
    },
    async close() {
      await temporal?.close();
    },
  };
}

function openTemporal(temporal: Sources['temporal'], logger: ErrorLogger): TemporalClient | undefined {
  if (!temporal) return undefined;
  if ('describe' in temporal) return temporal;
  const isConnected = 'client' in temporal && Boolean(temporal.client?.connection?.workflowService);
  const { address, namespace } = temporal as Partial<TemporalAddress>;
  if (!isConnected && (typeof address !== 'string' || typeof namespace !== 'string')) {
    const expected = 'expected { client } with a Client of @temporalio/client, or { address, namespace }';
    throw invalid('sources.temporal', expected);
  }
  return createTemporalClient(temporal, {}, logger);
}
