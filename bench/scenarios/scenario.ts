// The common parts of scenarios: what they can use and what they report.
import { resolve } from 'node:path';
import type { Measured } from '../generator/turn.ts';
import { OURS } from '../results.ts';
import type { ServerKind } from '../servers/server.ts';
import type { Stage, Staged } from '../stage.ts';

export interface Run {
  readonly stage: Stage;
  /** Servers that run throughout, including ours, in a different order in each repetition. */
  readonly servers: readonly Staged[];
  /** The streams of a server that are measured. */
  subjectsOf(staged: Staged): readonly string[];
  /** The kinds of servers, to start new ones. */
  readonly kinds: readonly ServerKind[];
  /** Whether it is the quick form. */
  readonly isQuick: boolean;
  /** A folder for CPU profiles of our server, if requested. */
  readonly profile: string | undefined;
  log(line: string): void;
  add(scenario: string, subject: string, measures: Readonly<Record<string, number>>): void;
}

export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** Whether it measures the servers that run throughout; otherwise it starts its own. */
  readonly needsServers: boolean;
  /** Whether a row compares us with a peer; otherwise, peers are measured only in the first repetition. */
  readonly comparesPeers: boolean;
  /** Runs one repetition. */
  run(run: Run): Promise<void>;
}

/** Runs `work` for each item in turn. A peer that fails is skipped and reported; ours must not fail. */
async function forEachOf<T>(
  run: Run,
  all: readonly T[],
  nameOf: (item: T) => string,
  work: (item: T) => Promise<void>,
): Promise<void> {
  for (const item of all) {
    try {
      await work(item);
    } catch (error) {
      if (nameOf(item) === OURS) throw error;
      run.log(`${nameOf(item)} is skipped: ${error instanceof Error ? error.message : error}`);
    }
  }
}

/** Runs `turn` for each measured stream of each server that runs throughout. */
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

/** Runs `turn` for each kind of server, to start new ones. */
export async function forEachKind(run: Run, turn: (kind: ServerKind) => Promise<void>): Promise<void> {
  await forEachOf(run, run.kinds, ({ name }) => name, turn);
}

/** Starts a server for one turn, because a process does not return memory that it once allocated. */
export async function fresh<T>(run: Run, kind: ServerKind, turn: (staged: Staged) => Promise<T>): Promise<T> {
  const staged = await run.stage.start(kind);
  try {
    return await turn(staged);
  } finally {
    await staged.stop();
  }
}

/** The measures of a period in which events were delivered. */
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

/** The file name of a CPU profile. */
export function profileName(scenario: string, subject: string): string {
  return `${scenario.replaceAll(/\W+/g, '-')}-${subject}.cpuprofile`;
}

/** Profiles our server, if requested, while it repeats the work: profiling would distort the measurement. */
export async function profileIfRequested(
  { profile }: Run,
  { kind, server }: Staged,
  scenario: string,
  subject: string,
  work: () => Promise<unknown>,
): Promise<void> {
  if (profile === undefined || kind.name !== OURS) return;
  await server.control!('startProfile');
  await work();
  await server.control!(`writeProfile ${resolve(profile, profileName(scenario, subject))}`);
}

/** Starts each repetition with another server, so that none is always measured after the same one. */
export function rotated<T>(items: readonly T[], by: number): T[] {
  const from = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
