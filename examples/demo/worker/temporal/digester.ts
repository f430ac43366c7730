// Digests on Temporal: a worker in this process, and a client that starts one workflow after another.
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
import type { Conditions } from '../conduct.ts';
import type { Digested } from '../digest.ts';
import { createActivities } from './activities.ts';
import type { digest } from './workflow.ts';

export type TemporalSettings = NonNullable<Config['temporal']>;

export interface TemporalDigester {
  /**
   * Runs one workflow to its end; cancels it when the demo stops.
   * @throws the workflow's failure.
   */
  digest(files: readonly TextFile[]): Promise<Digested>;
  /** Whether its worker has stopped, for any reason: another digester is needed. */
  hasStopped(): boolean;
  /** Stops the worker. Call it when no digest runs. */
  close(): Promise<void>;
}

export interface TemporalDigesterOptions extends Conditions {
  readonly temporal: TemporalSettings;
  readonly log: LogWriter;
  readonly store: ExecutionStore;
  readonly logger: Logger;
  onReport(executionId: string): void;
}

/** Longer than the slowest digest. Temporal then ends a workflow whose demo was killed. */
const TIMEOUT = '15 minutes';
/** How long to wait for the worker to stop, in case Temporal is unavailable. */
const CLOSE_MS = 3_000;

/** Connects to Temporal and starts the worker. */
export async function connectDigester(options: TemporalDigesterOptions): Promise<TemporalDigester> {
  const { temporal, log, store, logger, publisher, signal, pace, onReport } = options;
  quietRuntime();
  const { namespace, address, tls, apiKey, metadata } = temporal;
  const target = { address, ...(tls && { tls }), ...(apiKey && { apiKey }), ...(metadata && { metadata }) };
  const native = await NativeConnection.connect(target);
  // Unique: another demo on the same Temporal has neither these files nor this log.
  const taskQueue = `execstream-demo-${randomUUID()}`;
  const creating = Worker.create({
    connection: native,
    namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./workflow.ts', import.meta.url)),
    activities: createActivities(publisher, pace, onReport),
    plugins: [createTemporalPlugin({ log, store, logger })],
    // By default, heartbeats are throttled to 80 % of their timeout, and cancellations are that late.
    maxHeartbeatThrottleInterval: '500 ms',
  });
  const worker = await creating.catch(async (error) => {
    await native.close();
    throw error;
  });
  const connection = Connection.lazy(target);
  const client = new Client({ connection, namespace });
  const running = worker.run();
  // Otherwise a digest would wait for a stopped worker until its timeout.
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

/** Logs errors only, and installs no signal handlers: the demo ends its workflows before its worker. */
function quietRuntime(): void {
  try {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
      shutdownSignals: [],
    });
  } catch {
    // Already installed: the previous connection failed.
  }
}
