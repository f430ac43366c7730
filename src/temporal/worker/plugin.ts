// Configures a Temporal worker to stream: the sinks, and the flag by which workflows know about them.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type {
  BundleOptions,
  ReplayWorkerOptions,
  WorkerOptions,
  WorkflowBundleOption,
} from '@temporalio/worker';
import { checkParts } from '../../publish/publisher.ts';
import { resolveLogger } from '../../telemetry/resolve-logger.ts';
import { LIVE_MARKER } from '../shared/live-marker.ts';
import { STREAM_QUERY } from '../shared/stream-query.ts';
import { createWorkerSinks, type SinkOptions } from './sinks.ts';
import type { HistoryService } from './wait-for-close.ts';

/** A plugin for `Worker.create({ plugins })`, and for `bundleWorkflowCode({ plugins })` if bundles are built separately. */
export interface TemporalPlugin {
  readonly name: string;
  configureWorker(options: WorkerOptions): WorkerOptions;
  configureReplayWorker(options: ReplayWorkerOptions): ReplayWorkerOptions;
  configureBundler(options: BundleOptions): BundleOptions;
  runWorker<W>(worker: W, next: (worker: W) => Promise<void>): Promise<void>;
}

/**
 * The sandbox loads the module by its path: a .ts file in src/, a .js file in dist/. Computed on demand: in a bundle of
 * CommonJS a module has no URL.
 */
function interceptors(): string {
  const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../workflow/live-interceptors.${EXTENSION}`, import.meta.url));
}

const BUNDLE_WITHOUT_PLUGIN =
  'workflowBundle: built without the plugin, so that servers read the events of its workflows by the query alone; ' +
  'pass plugins: [createTemporalPlugin(…)] to bundleWorkflowCode';

/**
 * Creates the plugin of a worker whose workflows stream: their events are appended to the log as they are emitted.
 *
 * An end is recorded once the worker's `connection` confirms that the run has closed. Without a `connection` option, and
 * for events that could not be appended, the server takes over: it reads them by the query. The caller closes log and
 * store. The plugin may serve several workers of a process; it closes with the last of them. A `workflowBundle` that was
 * built without it is logged as a warning, and the server reads the events of its workflows by the query.
 * @throws ExecstreamError `CONFIG` without `log` or `store`
 *
 * @example
 *   await Worker.create({ …, connection, plugins: [createTemporalPlugin({ log, store })] });
 */
export function createTemporalPlugin(options: Omit<SinkOptions, 'service'>): TemporalPlugin {
  checkParts(options);
  const logger = resolveLogger(options.logger);
  let service: HistoryService | undefined;
  let running = 0;
  const { sinks, close } = createWorkerSinks({ ...options, service: () => service });
  const withInterceptors = (modules: readonly string[] = []): string[] => {
    const own = interceptors();
    return [...modules.filter((module) => module !== own), own];
  };

  /** Adds sinks and interceptors. */
  function configure<O extends WorkerOptions | ReplayWorkerOptions>(worker: O): O {
    const workflowModules = withInterceptors(worker.interceptors?.workflowModules);
    if (worker.workflowBundle && lacksInterceptors(worker.workflowBundle))
      logger.warn({}, BUNDLE_WITHOUT_PLUGIN);
    // A prebuilt bundle contains its interceptors, and Temporal warns if the worker has some too.
    const added = worker.workflowBundle ? {} : { interceptors: { ...worker.interceptors, workflowModules } };
    return { ...worker, ...added, sinks: { ...worker.sinks, ...sinks } };
  }

  return {
    name: 'execstream',
    configureWorker(worker) {
      service ??= worker.connection?.workflowService as HistoryService | undefined;
      return configure(worker);
    },
    // Temporal calls no sink in a replay, but logs an error if it is not registered.
    configureReplayWorker: configure,
    configureBundler: (bundle) => ({
      ...bundle,
      workflowInterceptorModules: withInterceptors(bundle.workflowInterceptorModules),
    }),
    async runWorker(worker, next) {
      running += 1;
      try {
        await next(worker);
      } finally {
        running -= 1;
        if (running === 0) await close();
      }
    },
  };
}

/** Whether the workflows of a bundle stream, but cannot know that the worker has our sink. */
function lacksInterceptors(bundle: WorkflowBundleOption): boolean {
  try {
    const code = 'code' in bundle ? bundle.code : readFileSync(bundle.codePath, 'utf8');
    return code.includes(STREAM_QUERY) && !code.includes(LIVE_MARKER);
  } catch {
    // The worker reports a file that cannot be read.
    return false;
  }
}
