// Workers with Temporal's own libraries for Workflow Streams, in a process each: the libraries require another version of
// the SDK than ours.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../../../docs/blocks.ts';
import { TEMPORAL_SDK_FOLDERS } from '../../../support/temporal-sdks.ts';
import { until } from '../../../support/wait.ts';

const FOLDER = join(ROOT, 'test/temporal/source/workflow-streams/worker');

/** The folder of the version that has Workflow Streams. */
const sdkFolder = () => TEMPORAL_SDK_FOLDERS.find(([version]) => version === '1.23.0')![1];

/** Runs the worker of TypeScript until the block ends. */
export function startStreamWorker(
  address: string,
  taskQueue: string,
  env: Record<string, string> = {},
): Promise<AsyncDisposable> {
  const args = ['--import', join(ROOT, 'test/temporal/versions/resolve.mjs'), join(FOLDER, 'worker.mjs')];
  const settings = { SDK_FOLDER: sdkFolder(), ADDRESS: address, TASK_QUEUE: taskQueue };
  return startProgram(process.execPath, args, { ...settings, ...env });
}

/** Runs a program until the block ends. Resolves when it prints that it polls. */
export async function startProgram(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<AsyncDisposable> {
  const worker = spawn(program, args, { env: { ...process.env, ...env } });
  const exited = once(worker, 'exit');
  let output = '';
  for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (chunk) => (output += chunk));
  await until(
    () => {
      if (worker.exitCode !== null) throw new Error(`the worker exited: ${output}`);
      return output.includes('polling');
    },
    { timeoutMs: 60_000 },
  );
  return {
    async [Symbol.asyncDispose]() {
      worker.kill('SIGKILL');
      await exited;
    },
  };
}
