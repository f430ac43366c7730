// Peers that are written in Go. Each is built once into bench/peers/bin, in the version of
// bench/peers/<name>/go.mod, and runs on its role's core.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startServer } from '../../scripts/server-process.ts';
import { onCore } from '../cores.ts';
import type { Place } from './server.ts';

const PEERS = fileURLToPath(new URL('../peers/', import.meta.url));
const BIN = join(PEERS, 'bin');
const GO = 'go';
const START_TIMEOUT_MS = 10_000;

/**
 * Builds a peer unless it is built already.
 * @param program the package of its command
 * @returns why it is not available; undefined if it is
 */
export function buildGo(name: string, program: string): string | undefined {
  const folder = join(PEERS, name);
  if (changedMs(join(BIN, name)) > changedMs(join(folder, 'go.mod'))) return undefined;
  process.stderr.write(`${name} is being built, which takes minutes the first time\n`);
  const { error, status, stderr } = spawnSync(GO, ['build', '-o', join(BIN, name), program], {
    cwd: folder,
    encoding: 'utf8',
    // Go's installer uses /usr/local/go. The peers' releases are built without cgo, too.
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/local/go/bin`, CGO_ENABLED: '0' },
  });
  if (error) return `it requires Go 1.25 or newer, which is not installed (${error.message})`;
  if (status !== 0) return `\`go build\` in bench/peers/${name} failed:\n${stderr.trim().slice(-2_000)}`;
  return undefined;
}

/** When a file was last changed; -Infinity if it does not exist. */
function changedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;
}

export interface GoServer {
  readonly pid: number;
  readonly hasEnded: () => boolean;
  stop(): Promise<void>;
}

export interface GoOptions {
  /** File names are relative to its folder. */
  readonly args?: readonly string[];
  /** Writes its configuration to its folder. */
  readonly prepare: (folder: string) => void;
  /** A line that it prints when it is about to listen. */
  readonly ready: RegExp;
  /** A URL that responds with 200 once it listens. */
  readonly healthUrl: string;
}

/** Starts a built peer in its own folder. */
export async function startGo(
  place: Place,
  role: 'server' | 'generator',
  name: string,
  { args = [], prepare, ready, healthUrl }: GoOptions,
): Promise<GoServer> {
  const folder = mkdtempSync(join(place.folder, `${name}-${role}-`));
  prepare(folder);
  const [command, ...rest] = onCore(role, [join(BIN, name), ...args]);
  let last = '';
  let isStopped = false;
  let hasEnded = false;
  const onPrinted = (chunk: Buffer) => {
    last = (last + chunk).slice(-2_000);
  };
  const running = await startServer({ command: command!, args: rest, folder, ready, onPrinted });
  running.exited.then((why) => {
    hasEnded = true;
    if (!isStopped)
      process.stderr.write(`${name} exited unexpectedly: ${why}; its last output was:\n${last}\n`);
  });
  await untilResponding(healthUrl);
  return {
    pid: running.pid,
    hasEnded: () => hasEnded,
    stop: () => {
      isStopped = true;
      return running.end('SIGKILL');
    },
  };
}

async function untilResponding(url: string): Promise<void> {
  const from = performance.now();
  for (;;) {
    const isOk = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isOk) return;
    if (performance.now() - from > START_TIMEOUT_MS) throw new Error(`${url} does not respond`);
    await sleep(20);
  }
}
