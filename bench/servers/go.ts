// Peers that are written in Go: each is built once into bench/peers/bin, in the version that bench/peers/<name>/go.mod
// names, and runs on its role's core.
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
const ANSWERS_WITHIN_MS = 10_000;

/**
 * Builds a peer where it has not been yet.
 * @param program the package of its command
 * @returns why there is none; undefined where there is
 */
export function buildGo(name: string, program: string): string | undefined {
  const folder = join(PEERS, name);
  if (changedMs(join(BIN, name)) > changedMs(join(folder, 'go.mod'))) return undefined;
  process.stderr.write(`${name} is built, which takes minutes the first time\n`);
  const { error, status, stderr } = spawnSync(GO, ['build', '-o', join(BIN, name), program], {
    cwd: folder,
    encoding: 'utf8',
    // Go's own installer puts it into /usr/local/go. The peers' releases are built without cgo, too.
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/local/go/bin`, CGO_ENABLED: '0' },
  });
  if (error) return `it is built with Go 1.25 or newer, which is not there (${error.message})`;
  if (status !== 0) return `\`go build\` in bench/peers/${name} fails:\n${stderr.trim().slice(-2_000)}`;
  return undefined;
}

/** When a file was changed last; before all times where it is not there. */
function changedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;
}

export interface GoServer {
  readonly pid: number;
  readonly hasEnded: () => boolean;
  stop(): Promise<void>;
}

export interface GoOptions {
  /** Names of files are those in its folder. */
  readonly args?: readonly string[];
  /** Writes its configuration into its folder. */
  readonly prepare: (folder: string) => void;
  /** What it prints once it is about to listen. */
  readonly ready: RegExp;
  /** What it answers with 200 once it does. */
  readonly healthUrl: string;
}

/** Starts a peer that is built, in a folder of its own. */
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
    if (!isStopped) process.stderr.write(`${name} has ended by itself: ${why}; it printed last:\n${last}\n`);
  });
  await answers(healthUrl);
  return {
    pid: running.pid,
    hasEnded: () => hasEnded,
    stop: () => {
      isStopped = true;
      return running.end('SIGKILL');
    },
  };
}

async function answers(url: string): Promise<void> {
  const from = performance.now();
  for (;;) {
    const isWell = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isWell) return;
    if (performance.now() - from > ANSWERS_WITHIN_MS) throw new Error(`${url} does not answer`);
    await sleep(20);
  }
}
