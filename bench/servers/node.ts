// Starts a server of Node on the servers' core, with what lets the benchmark look into it.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startServer } from '../../scripts/server-process.ts';
import { onCore } from '../cores.ts';
import type { Place, ServerUnderTest } from './server.ts';

const PRELOAD = new URL('../preload.mjs', import.meta.url).href;
const ANSWER = /^bench-look (.*)\n/m;

export interface NodeServer extends Required<Pick<ServerUnderTest, 'port' | 'pids' | 'hasEnded' | 'stop'>> {
  /** @param pid of another process that it has started */
  look(words: string, pid?: number): Promise<unknown>;
  /** Where it runs; an own folder. */
  readonly folder: string;
}

/** @param env beside PORT and REDIS_URL */
export async function startNode(
  place: Place,
  name: string,
  program: string,
  ready: RegExp,
  { args = [], env = {} }: { args?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): Promise<NodeServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(place.folder, `${name}-`));
  const asked = join(folder, 'asked');
  const all = {
    NODE_ENV: 'production',
    PORT: `${port}`,
    REDIS_URL: place.redisUrl,
    BENCH_LOOK: asked,
    ...env,
  };
  const assigned = Object.entries(all).map(([key, value]) => `${key}=${value}`);
  const node = [process.execPath, '--import', PRELOAD, program, ...args];
  const [command, ...rest] = onCore('server', ['/usr/bin/env', ...assigned, ...node]);

  let printed = '';
  let last = '';
  let isStopped = false;
  let onAnswer: ((answer: unknown) => void) | undefined;
  const onPrinted = (chunk: Buffer) => {
    last = (last + chunk).slice(-2_000);
    if (!onAnswer) return;
    printed += chunk;
    const answer = ANSWER.exec(printed)?.[1];
    if (answer === undefined) return;
    onAnswer(JSON.parse(answer));
    onAnswer = undefined;
  };
  const running = await startServer({ command: command!, args: rest, folder, ready, onPrinted });
  let hasEnded = false;
  running.exited.then((why) => {
    hasEnded = true;
    if (!isStopped) process.stderr.write(`${name} has ended by itself: ${why}; it printed last:\n${last}\n`);
  });
  return {
    port,
    folder,
    pids: [running.pid],
    look: (words, pid = running.pid) =>
      new Promise((resolve, reject) => {
        printed = '';
        onAnswer = resolve;
        running.exited.then((why) => reject(new Error(`${name} ended while it was looked at: ${why}`)));
        writeFileSync(asked, words);
        process.kill(pid, 'SIGUSR2');
      }),
    hasEnded: () => hasEnded,
    stop: () => {
      isStopped = true;
      return running.end('SIGKILL');
    },
  };
}
