// Runs digests on Temporal: a worker in this process, and a client that starts one workflow after the other.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import {
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import type { Config } from '../../../../src/server/config/config.ts';
import {
  createTemporalPlugin,
  type ExecutionStore,
  type Logger,
  type LogWriter,
} from '../../../../src/worker.ts';
import type { TextFile } from '../../files.ts';
import type { WorkContext } from '../conduct.ts';
import type { Digested } from '../digest.ts';
import { createActivities } from './activities.ts';
import type { digest } from './workflow.ts';

export type TemporalSettings = NonNullable<Config['temporal']>;

export interface TemporalDigester {
  /**
   * Runs one workflow to its end; cancels it if the demo's worker stops.
   * @throws the error with which the workflow failed.
   */
  digest(files: readonly TextFile[]): Promise<Digested>;
  /** Whether the Temporal worker has ended, even unexpectedly: a new digester is required. */
  hasStopped(): boolean;
  /** Ends the worker. Call it when no digest is running. */
  close(): Promise<void>;
}

export interface TemporalDigesterOptions extends WorkContext {
  readonly temporal: TemporalSettings;
  readonly log: LogWriter;
  readonly store: ExecutionStore;
  readonly logger: Logger;
  onReport(executionId: string): void;
}

/** Longer than the slowest digest; Temporal also ends a digest that a killed demo left behind after this time. */
const TIMEOUT = '15 minutes';
/** Timeout for the end of the worker, in case Temporal is unavailable. */
const CLOSE_MS = 3_000;

/** Connects to Temporal and starts the worker. */
export async function connectDigester(options: TemporalDigesterOptions): Promise<TemporalDigester> {
  const { temporal, log, store, logger, publisher, signal, pace, onReport } = options;
  quietRuntime();
  const { namespace, address, tls, apiKey, metadata } = temporal;
  const connectionOptions = {
    address,
    ...(tls && { tls }),
    ...(apiKey && { apiKey }),
    ...(metadata && { metadata }),
  };
  const native = await NativeConnection.connect(connectionOptions);
  // Unique, because another demo on the same Temporal has neither these files nor this log.
  const taskQueue = `execstream-demo-${randomUUID()}`;
  const creating = Worker.create({
    connection: native,
    namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./workflow.ts', import.meta.url)),
    activities: createActivities(publisher, pace, onReport),
    plugins: [createTemporalPlugin({ log, store, logger })],
    // By default, a cancellation may arrive late by most of the heartbeat timeout.
    maxHeartbeatThrottleInterval: '500 ms',
  });
  const worker = await creating.catch(async (error) => {
    await native.close();
    throw error;
  });
  const connection = Connection.lazy(connectionOptions);
  const client = new Client({ connection, namespace });
  const running = worker.run();
  // Without this, a digest would wait for its timeout after the worker has stopped.
  const stopped = running.then(() => Promise.reject(new Error('the Temporal worker has stopped')));
  stopped.catch(() => {});

  return {
    hasStopped: () => worker.getState() === 'FAILED' || worker.getState() === 'STOPPED',
    async digest(files) {
      signal.throwIfAborted();
      const workflowId = `digest-${Date.now().toString(36)}`;
      const handle = await client.workflow.start<typeof digest>('digest', {
        ...{ taskQueue, workflowId, args: [[...files]], workflowExecutionTimeout: TIMEOUT },
      });
      const cancel = () => void handle.cancel().catch(() => {});
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
      try {
        return { workflowId, ...(await Promise.race([handle.result(), stopped])) };
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
    async close() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      const ended = running.catch(() => {}).then(() => Promise.all([connection.close(), native.close()]));
      await Promise.race([ended, sleep(CLOSE_MS)]);
    },
  };
}

/** Logs errors only and installs no signal handlers: the demo ends its workflows before its worker. */
function quietRuntime(): void {
  try {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
      shutdownSignals: [],
    });
  } catch {
    // A runtime is already installed, because the previous connection failed.
  }
}
