// One server of the run: the product's command line, on the same port after every restart.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../scripts/server-process.ts';
import { compiledProgram } from '../../test/support/compiled-program.ts';
import { type Child, startChild } from './process.ts';

export interface ServerOptions {
  readonly name: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly node?: readonly string[];
}

export interface ServerProcess {
  readonly port: number;
  readonly pid: number | undefined;
  /** Starts it, and resolves when it responds. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Sends SIGTERM, and waits until it has drained. @throws Error if it does not exit in time with code 0. */
  stop(): Promise<void>;
}

const START_MS = 30_000;
const DRAIN_MS = 30_000;

export async function createServerProcess(options: ServerOptions): Promise<ServerProcess> {
  const { name, folder, env, node = [] } = options;
  const program = await compiledProgram('src/cli/main.ts');
  const port = await freePort();
  let child: Child | undefined;
  return {
    port,
    get pid() {
      return child?.isRunning ? child.pid : undefined;
    },
    async start() {
      child = startChild({
        run: [...program, 'start'],
        node,
        env: { ...env, PORT: `${port}`, DATA_DIR: join(folder, `${name}-data`) },
        log: join(folder, `${name}.log`),
      });
      const deadline = Date.now() + START_MS;
      while (!(await isResponding(port))) {
        if (!child.isRunning) throw new Error(`${name} exited during startup; see ${name}.log in ${folder}`);
        if (Date.now() > deadline) throw new Error(`${name} did not respond within ${START_MS} ms`);
        await sleep(50);
      }
    },
    async kill() {
      await child?.end('SIGKILL');
    },
    async stop() {
      if (!child?.isRunning) return;
      const ending = child;
      const late = setTimeout(() => void ending.end('SIGKILL'), DRAIN_MS);
      ending.process.kill('SIGTERM');
      const code = await ending.exited;
      clearTimeout(late);
      if (code !== 0)
        throw new Error(`${name} did not drain: it exited with ${code ?? 'SIGKILL after 30 s'}`);
    },
  };
}

async function isResponding(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/live`, {
      signal: AbortSignal.timeout(1_000),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
