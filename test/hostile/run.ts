// Sends inputs in batches, and counts their outcomes.
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { type Exchange, exchange } from './exchange.ts';
import { credentials } from './inputs/credentials.ts';
import { depth } from './inputs/depth.ts';
import { graphql } from './inputs/graphql.ts';
import type { HostileInput } from './inputs/input.ts';
import { numbers } from './inputs/numbers.ts';
import { pairs } from './inputs/pairs.ts';
import { patches } from './inputs/patches.ts';
import { publishing } from './inputs/publishing.ts';
import { rawHttp } from './inputs/raw-http.ts';
import { redis } from './inputs/redis.ts';
import { streams } from './inputs/streams.ts';
import { breachesOf } from './judge.ts';
import type { TargetServer } from './server.ts';
import { refresh, type World } from './world.ts';

const BATCH = 250;
/** Concurrent connections. */
const LANES = 16;
/** The timeout of `/health/live`, which is checked between batches. */
const HEALTH_MS = 5_000;
export interface RunOptions {
  readonly target: TargetServer;
  readonly world: World;
  readonly redisUrl: string;
  readonly count: number;
  readonly seed: number;
}

export interface RunResult {
  /** The number of inputs by kind and outcome. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly breaches: Breaches;
  /** The target's memory in MiB, at the start and after each tenth of the run. */
  readonly memoryMiB: readonly number[];
}

function inputsOf(world: World): fc.Arbitrary<HostileInput> {
  return fc.oneof(
    { weight: 4, arbitrary: rawHttp(world) },
    { weight: 4, arbitrary: streams(world) },
    { weight: 4, arbitrary: graphql(world) },
    { weight: 4, arbitrary: publishing(world) },
    { weight: 2, arbitrary: depth(world) },
    { weight: 2, arbitrary: patches(world) },
    { weight: 3, arbitrary: numbers(world) },
    { weight: 2, arbitrary: pairs(world) },
    { weight: 2, arbitrary: credentials(world) },
    { weight: 1, arbitrary: redis(world) },
  );
}

export async function run({ target, world, redisUrl, count, seed }: RunOptions): Promise<RunResult> {
  const client = new Redis(redisUrl);
  const counts = new Map<string, Map<string, number>>();
  const breaches = new Breaches();
  const memoryMiB = [target.memoryMiB()];
  try {
    for (let sent = 0, batch = 1; sent < count && target.end === undefined; batch += 1) {
      await refresh(target.url, world, batch);
      const size = Math.min(BATCH, count - sent);
      const inputs = fc.sample(inputsOf(world), { numRuns: size, seed: seed + batch });
      const waiting = inputs.values();
      const lane = async () => {
        for (const input of waiting) {
          if (target.end !== undefined) return;
          await input.before?.(client);
          const result = await exchange(target.port, input);
          tally(counts, input.kind, outcomeOf(result));
          for (const breach of breachesOf(input, result)) {
            breaches.add(`${input.kind}: ${breach}`, describe(batch, input, result));
          }
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      sent += size;
      if (target.end !== undefined)
        breaches.add(`the process has ended: ${target.end}`, await lastOutput(target));
      else if (!(await isHealthy(target.url)))
        breaches.add('/health/live does not respond', `batch ${batch}`);
      if (Math.floor((sent * 10) / count) >= memoryMiB.length && target.end === undefined)
        memoryMiB.push(target.memoryMiB());
    }
  } finally {
    client.disconnect();
  }
  return { counts, breaches, memoryMiB };
}

/** The last output of a target that has ended; it waits until all of it has been read. */
async function lastOutput(target: TargetServer): Promise<string> {
  await setTimeout(500);
  return target.printed().slice(-3_000);
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(HEALTH_MS) })).ok;
  } catch {
    return false;
  }
}

/** The status of the first response; a 200 with events counts as `stream`. */
function outcomeOf({ responses, ended }: Exchange): string {
  const [first] = responses;
  if (ended === 'hung') return 'hung';
  if (!first) return 'closed';
  return first.headers.get('content-type')?.startsWith('text/event-stream') ? 'stream' : `${first.status}`;
}

function tally(counts: Map<string, Map<string, number>>, kind: string, outcome: string): void {
  const row = counts.get(kind) ?? new Map<string, number>();
  counts.set(kind, row.set(outcome, (row.get(outcome) ?? 0) + 1));
}

function describe(batch: number, { pieces }: HostileInput, { responses }: Exchange): string {
  const bytes = Buffer.concat(pieces);
  const shown = JSON.stringify(bytes.toString('latin1', 0, 1_000));
  const response = responses[0] ? `${responses[0].status} ${responses[0].body.slice(0, 200)}` : 'none';
  return `batch ${batch}, sent (${bytes.length} bytes) ${shown}\n  response: ${response}`;
}

/** Broken rules, each with its number of occurrences and its first cause. */
export class Breaches {
  readonly #known = new Map<string, { times: number; readonly first: string }>();

  add(what: string, how: string): void {
    const known = this.#known.get(what) ?? { times: 0, first: how };
    known.times += 1;
    this.#known.set(what, known);
  }

  toString(): string {
    return [...this.#known].map(([what, { times, first }]) => `${times} × ${what}\n  ${first}`).join('\n');
  }
}

/** The counts as a table. */
export function table({ counts, memoryMiB }: RunResult): string {
  const outcomes = [...new Set([...counts.values()].flatMap((row) => [...row.keys()]))].sort();
  const rows = [...counts].sort(([a], [b]) => a.localeCompare(b));
  const sum = (row: ReadonlyMap<string, number>) => [...row.values()].reduce((a, b) => a + b, 0);
  const all = new Map(
    outcomes.map((name) => [name, rows.reduce((n, [, row]) => n + (row.get(name) ?? 0), 0)]),
  );
  const line = (name: string, cells: readonly (string | number)[]) =>
    `${name.padEnd(18)}${cells.map((cell) => String(cell).padStart(7)).join('')}`;
  return [
    line('', [...outcomes, 'all']),
    ...[...rows, ['all', all] as const].map(([kind, row]) =>
      line(kind, [...outcomes.map((name) => row.get(name) ?? ''), sum(row)]),
    ),
    `memory, MiB: ${memoryMiB.join(' ')}`,
  ].join('\n');
}
