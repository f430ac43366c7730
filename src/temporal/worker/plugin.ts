// Sets a Temporal worker up to stream: the sinks, and the word to its workflows that there are sinks.
import { fileURLToPath } from 'node:url';
import type { BundleOptions, ReplayWorkerOptions, WorkerOptions } from '@temporalio/worker';
import { createWorkerSinks, type SinkOptions } from './sinks.ts';
import type { HistoryService } from './wait-for-close.ts';

/** A plugin for `Worker.create({ plugins })`, and for `bundleWorkflowCode({ plugins })` where bundles are built apart. */
export interface TemporalPlugin {
  readonly name: string;
  configureWorker(options: WorkerOptions): WorkerOptions;
  configureReplayWorker(options: ReplayWorkerOptions): ReplayWorkerOptions;
  configureBundler(options: BundleOptions): BundleOptions;
  runWorker<W>(worker: W, next: (worker: W) => Promise<void>): Promise<void>;
}

// The sandbox loads it by its path: src/ has it as .ts, dist/ as .js.
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const INTERCEPTORS = fileURLToPath(new URL(`../workflow/live-interceptors.${EXTENSION}`, import.meta.url));

/**
 * Makes the plugin of a worker whose workflows stream: their events reach the log as they are emitted.
 *
 *   await Worker.create({ …, connection, plugins: [createTemporalPlugin({ log, store })] });
 *
 * Ends are told once the worker's `connection` says that the run has closed; without a connection given to the
 * worker they are left to the relay, as is all that does not get through. Log and store stay the caller's. The plugin
 * may serve several workers of a process; it closes with the last of them.
 */
export function createTemporalPlugin(options: Omit<SinkOptions, 'service'>): TemporalPlugin {
  let service: HistoryService | undefined;
  let running = 0;
  const { sinks, close } = createWorkerSinks({ ...options, service: () => service });
  const withInterceptors = (modules: readonly string[] = []): string[] => [
    ...modules.filter((module) => module !== INTERCEPTORS),
    INTERCEPTORS,
  ];

  /** Sinks and interceptors, for workers of both sorts. */
  function configure<O extends WorkerOptions | ReplayWorkerOptions>(worker: O): O {
    const { interceptors } = worker;
    const workflowModules = withInterceptors(interceptors?.workflowModules);
    // A bundle that was built before has its interceptors, and a worker with both warns.
    const own = worker.workflowBundle ? {} : { interceptors: { ...interceptors, workflowModules } };
    return { ...worker, ...own, sinks: { ...worker.sinks, ...sinks } };
  }

  return {
    name: 'execstream',
    configureWorker(worker) {
      service ??= worker.connection?.workflowService as HistoryService | undefined;
      return configure(worker);
    },
    // Temporal calls no sink in a replay, but says so aloud where it knows of none.
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
