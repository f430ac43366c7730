// What scenarios have in common: what they may use, and what they bring back.
import { resolve } from 'node:path';
import type { Measured } from '../generator/turn.ts';
import { OURS } from '../results.ts';
import type { ServerKind } from '../servers/server.ts';
import type { Stage, Staged } from '../stage.ts';

export interface Run {
  readonly stage: Stage;
  /** Servers that run for the whole time, ours among them; in another order each time. */
  readonly servers: readonly Staged[];
  /** Which streams of a server are measured. */
  subjectsOf(staged: Staged): readonly string[];
  /** The servers by name, to start fresh ones. */
  readonly kinds: readonly ServerKind[];
  /** Whether it is the quick form. */
  readonly isQuick: boolean;
  /** A folder for CPU profiles of our server, where they are asked for. */
  readonly profile: string | undefined;
  say(line: string): void;
  add(scenario: string, subject: string, measures: Readonly<Record<string, number>>): void;
}

export interface Scenario {
  readonly name: string;
  readonly is: string;
  /** Whether it measures servers that run all the time. Else it starts its own. */
  readonly needsServers: boolean;
  /** Whether a row compares us with a peer in it. Where none does, peers are measured in the first repetition only. */
  readonly comparesPeers: boolean;
  /** One repetition. */
  run(run: Run): Promise<void>;
}

/** One after the other, each with its name; a peer that fails is left out, and said, where we must not fail. */
async function forEachOf<T>(
  run: Run,
  all: readonly T[],
  nameOf: (one: T) => string,
  work: (one: T) => Promise<void>,
): Promise<void> {
  for (const one of all) {
    try {
      await work(one);
    } catch (error) {
      if (nameOf(one) === OURS) throw error;
      run.say(`${nameOf(one)} is left out: ${error instanceof Error ? error.message : error}`);
    }
  }
}

/** Each server that runs all the time, with each of its streams that is measured. */
export async function forEachSubject(
  run: Run,
  turn: (staged: Staged, subject: string) => Promise<void>,
): Promise<void> {
  await forEachOf(
    run,
    run.servers,
    ({ kind }) => kind.name,
    async (staged) => {
      for (const subject of run.subjectsOf(staged)) {
        try {
          await turn(staged, subject);
        } finally {
          await staged.disconnect();
        }
      }
    },
  );
}

/** Each kind of server, to start fresh ones. */
export async function forEachKind(run: Run, turn: (kind: ServerKind) => Promise<void>): Promise<void> {
  await forEachOf(run, run.kinds, ({ name }) => name, turn);
}

/** A server for one turn. Memory that one once had it does not give back. */
export async function fresh<T>(run: Run, kind: ServerKind, turn: (staged: Staged) => Promise<T>): Promise<T> {
  const staged = await run.stage.start(kind);
  try {
    return await turn(staged);
  } finally {
    await staged.stop();
  }
}

/** The measures of a stretch in which events were delivered. */
export function deliveryOf(measured: Measured): Record<string, number> {
  const { cpuUs, frames, framesOfReaders, seconds, bytes, p50Us, p99Us, lost, repeated, broken } = measured;
  const failed = lost + repeated + broken;
  if (framesOfReaders === 0) return { lost: failed };
  return {
    cpuUsPerFrame: cpuUs / framesOfReaders,
    framesPerSecond: frames / seconds,
    bytesPerFrame: bytes / frames,
    p50Ms: p50Us / 1_000,
    p99Ms: p99Us / 1_000,
    lost: failed,
  };
}

/** The file of a CPU profile. */
export function profileName(scenario: string, subject: string): string {
  return `${scenario.replaceAll(/\W+/g, '-')}-${subject}.cpuprofile`;
}

/** Profiles our server, where that is asked for, while it does again what was measured: profiling has its price. */
export async function profiledIfAsked(
  { profile }: Run,
  { kind, server }: Staged,
  scenario: string,
  subject: string,
  work: () => Promise<unknown>,
): Promise<void> {
  if (profile === undefined || kind.name !== OURS) return;
  await server.look!('startProfile');
  await work();
  await server.look!(`writeProfile ${resolve(profile, profileName(scenario, subject))}`);
}

/** Each repetition begins with another server, so that none is always measured after the same one. */
export function rotated<T>(items: readonly T[], by: number): T[] {
  const from = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
