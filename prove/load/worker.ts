// The worker of the load: in the process of the server if its plugin writes to the log there, otherwise in its own, as it is
// outside of a load.
//
//   node --import tsx prove/load/worker.ts <address>      (with an IPC channel)
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import type { createTemporalPlugin } from '../../src/worker.ts';

export const TASK_QUEUE = 'load';

export interface LoadWorker {
  stop(): Promise<void>;
}

/** Keeps a process that runs a worker from logging lines that are normal in a load. */
export function quietRuntime(): void {
  const filter = makeTelemetryFilterString({ core: 'ERROR' });
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter } } });
}

/** Starts a worker in this process. */
export async function startWorker(
  address: string,
  plugins: ReturnType<typeof createTemporalPlugin>[],
): Promise<LoadWorker> {
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./workflow.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
    plugins,
  });
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({ connection, taskQueue: TASK_QUEUE, workflowBundle, plugins });
  const running = worker.run();
  return {
    async stop() {
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}

/** Starts a worker in another process. */
export async function forkWorker(address: string): Promise<LoadWorker> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [address], {
    execArgv: ['--import', 'tsx'],
  });
  await once(child, 'message');
  return {
    async stop() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  quietRuntime();
  const worker = await startWorker(process.argv[2]!, []);
  process.once('disconnect', async () => {
    await worker.stop();
    process.exit();
  });
  process.send!('ready');
}
