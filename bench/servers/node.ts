// Starts a Node server on the servers' core, with the preload script that the benchmark controls.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startServer } from '../../scripts/server-process.ts';
import { onCore } from '../cores.ts';
import type { Place, ServerUnderTest } from './server.ts';

const PRELOAD = new URL('../preload.mjs', import.meta.url).href;
const RESULT = /^bench-result (.*)\n/m;

export interface NodeServer extends Required<Pick<ServerUnderTest, 'port' | 'pids' | 'hasEnded' | 'stop'>> {
  /** @param pid of another process that the server has started */
  control(instruction: string, pid?: number): Promise<unknown>;
  /** Its own working folder. */
  readonly folder: string;
}

/** @param env environment variables in addition to PORT and REDIS_URL */
export async function startNode(
  place: Place,
  name: string,
  program: string,
  ready: RegExp,
  { args = [], env = {} }: { args?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): Promise<NodeServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(place.folder, `${name}-`));
  const commandFile = join(folder, 'commandFile');
  const all = {
    NODE_ENV: 'production',
    PORT: `${port}`,
    REDIS_URL: place.redisUrl,
    BENCH_COMMAND: commandFile,
    ...env,
  };
  const assigned = Object.entries(all).map(([key, value]) => `${key}=${value}`);
  const node = [process.execPath, '--import', PRELOAD, program, ...args];
  const [command, ...rest] = onCore('server', ['/usr/bin/env', ...assigned, ...node]);

  let printed = '';
  let last = '';
  let isStopped = false;
  let onResult: ((result: unknown) => void) | undefined;
  const onPrinted = (chunk: Buffer) => {
    last = (last + chunk).slice(-2_000);
    if (!onResult) return;
    printed += chunk;
    const result = RESULT.exec(printed)?.[1];
    if (result === undefined) return;
    onResult(JSON.parse(result));
    onResult = undefined;
  };
  const running = await startServer({ command: command!, args: rest, folder, ready, onPrinted });
  let hasEnded = false;
  running.exited.then((why) => {
    hasEnded = true;
    if (!isStopped)
      process.stderr.write(`${name} exited unexpectedly: ${why}; its last output was:\n${last}\n`);
  });
  return {
    port,
    folder,
    pids: [running.pid],
    control: (instruction, pid = running.pid) =>
      new Promise((resolve, reject) => {
        printed = '';
        onResult = resolve;
        running.exited.then((why) => reject(new Error(`${name} exited during a command: ${why}`)));
        writeFileSync(commandFile, instruction);
        process.kill(pid, 'SIGUSR2');
      }),
    hasEnded: () => hasEnded,
    stop: () => {
      isStopped = true;
      return running.end('SIGKILL');
    },
  };
}
