// The real server as a process, as `execstream start` starts it: configured by the environment, with authentication and
// the most verbose log level. Its output is retained.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startServer } from '../../scripts/server-process.ts';
import { compiledProgram } from '../support/compiled-program.ts';

/** A small heap, so that a leak ends the process soon. */
const HEAP_MIB = 512;

export interface TargetServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** The signal or exit code with which the process ended; undefined while it runs. */
  readonly end: string | undefined;
  /** Its output so far. */
  printed(): string;
  /** Its resident memory, in MiB. */
  memoryMiB(): number;
}

export async function startTarget(env: Readonly<Record<string, string>>): Promise<TargetServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'hostile-'));
  const assigned = { ...env, PORT: `${port}`, LOG_LEVEL: 'trace', NODE_ENV: 'production' };
  const chunks: Buffer[] = [];
  const running = await startServer({
    command: '/usr/bin/env',
    args: [
      ...Object.entries(assigned).map(([name, value]) => `${name}=${value}`),
      process.execPath,
      `--max-old-space-size=${HEAP_MIB}`,
      ...(await compiledProgram('src/cli/main.ts')),
      'start',
    ],
    folder,
    ready: /"msg":"ready"/,
    onPrinted: (chunk) => chunks.push(chunk),
  });
  let end: string | undefined;
  void running.exited.then((how) => {
    end = how;
  });
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get end() {
      return end;
    },
    printed: () => Buffer.concat(chunks).toString(),
    memoryMiB: () => {
      const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${running.pid}/status`, 'utf8')) ?? [];
      return Math.round(Number(kib) / 1_024);
    },
    [Symbol.asyncDispose]: async () => {
      await running.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
