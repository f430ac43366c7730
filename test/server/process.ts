// Starts the server as a process that a test can kill and start again on the same port.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type RunningServer, startServer } from '../../scripts/server-process.ts';
import { compiledProgram } from '../support/compiled-program.ts';

export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Resolves when it has ended, with the signal or the code, such as `code 0`. */
  readonly exited: Promise<string>;
  /** Its output since it was last started. */
  printed(): string;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** Sends SIGTERM, so that it drains; returns how it ended, such as `code 0`. */
  drain(): Promise<string>;
  /** Sends SIGKILL, which breaks every connection. */
  kill(): Promise<void>;
  /** Kills it permanently and removes its folder. */
  stop(): Promise<void>;
}

/** Without `REDIS_URL` and `DATABASE_URL`, the parts are embedded, with their files in the process's folder. */
type Environment = Readonly<Record<string, string>>;

/** The programs: a server whose clients reconnect after 50 ms, and the command of operators. */
const ENTRIES = {
  child: { program: 'test/server/child.ts', args: [], ready: /listening on/ },
  command: { program: 'src/cli/main.ts', args: ['start'], ready: /"msg":"ready"/ },
  workers: { program: 'src/cli/main.ts', args: ['start', '--workers', '2'], ready: /all workers are ready/ },
};

/** Starts a server process over these parts, which takes about a second. */
export async function startProcess(
  env: Environment,
  entry: keyof typeof ENTRIES = 'child',
): Promise<ServerProcess> {
  const { program, args, ready } = ENTRIES[entry];
  const compiled = await compiledProgram(program);
  const port = await freePort();
  const folder = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'server-'));
  let running: RunningServer | undefined;
  let printed = '';
  const kill = async () => {
    await running?.end('SIGKILL');
  };
  const stop = async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const server: ServerProcess = {
    url: `http://127.0.0.1:${port}`,
    get pid() {
      return running!.pid;
    },
    get exited() {
      return running!.exited;
    },
    printed: () => printed,
    start: async () => {
      printed = '';
      const assigned = Object.entries({ ...env, PORT: `${port}`, NODE_ENV: 'production' });
      running = await startServer({
        command: '/usr/bin/env',
        args: [
          ...assigned.map(([name, value]) => `${name}=${value}`),
          process.execPath,
          ...compiled,
          ...args,
        ],
        folder,
        ready,
        // With workers, three processes load.
        timeoutMs: 60_000,
        onPrinted: (chunk) => {
          printed += chunk;
        },
      });
    },
    drain: async () => {
      await running!.end('SIGTERM');
      return running!.exited;
    },
    kill,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  await server.start();
  return server;
}
