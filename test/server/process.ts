// Starts the server as a process that a test can kill and start again on the same port.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, type RunningServer, startServer } from '../../scripts/child.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** SIGKILL: every connection breaks. */
  kill(): Promise<void>;
  /** Kills it for good and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a server process over these parts; about a second. */
export async function startProcess(env: { REDIS_URL: string; DATABASE_URL: string }): Promise<ServerProcess> {
  const port = await freePort();
  const folder = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'server-'));
  let running: RunningServer | undefined;
  const kill = async () => {
    await running?.end('SIGKILL');
  };
  const stop = async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const server: ServerProcess = {
    url: `http://127.0.0.1:${port}`,
    start: async () => {
      const assigned = Object.entries({ ...env, PORT: `${port}`, NODE_ENV: 'production' });
      running = await startServer({
        command: '/usr/bin/env',
        args: [
          ...assigned.map(([name, value]) => `${name}=${value}`),
          process.execPath,
          '--import',
          `file://${ROOT}node_modules/tsx/dist/loader.mjs`,
          `${ROOT}test/server/child.ts`,
        ],
        folder,
        ready: /listening on/,
      });
    },
    kill,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  await server.start();
  return server;
}
