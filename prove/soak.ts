// `npm run soak`: connections come and go at random. Fails if memory, handles, subscriptions or leases grow, or do
// not return to where they started (docs/proof.md).
//
//   npm run soak -- --minutes 10 --connections 500
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { number } from './options.ts';
import { type PlanOptions, planExecution } from './plan.ts';
import { createRandom, type Random } from './random.ts';
import { createSampling, MEASURES, type Measured, type Sampling } from './soak/sampling.ts';
import { type Findings, findingsOf, tableOf } from './soak/verdict.ts';
import { startVisitors } from './soak/visitors.ts';
import { type Stage, startStage } from './stage/stage.ts';
import type { Target } from './viewers/transports.ts';

const EXECUTIONS = 10;
/** Caches and compiled code settle in this time; the baseline is measured after all connections have closed. */
const WARM_UP_MS = 20_000;
/** How long the server may take to clean up after the last connection has closed. */
const SETTLE_MS = 8_000;
const ON_SIGNAL = fileURLToPath(new URL('./soak/on-signal.js', import.meta.url));

interface SoakOptions {
  readonly minutes: number;
  readonly connections: number;
  readonly seed: number;
}

async function soak(options: SoakOptions, interrupted: AbortSignal): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'soak-'));
  const file = join(folder, 'heap.json');
  const random = createRandom(options.seed, 'soak');
  const stage = await startStage({
    ...{ random, servers: 1, workers: 2, temporalWorkers: 0, hasFailover: false },
    node: ['--expose-gc', '--import', ON_SIGNAL],
    env: { SOAK_FILE: file },
  });
  try {
    const sampling = createSampling(stage.main.servers[0]!.pid!, file, stage.redis);
    const samples: { at: number; measured: Measured }[] = [];
    await wave(stage, random.fork('warm-up'), options, WARM_UP_MS, interrupted);
    const begin = await sampling.take();
    const traffic = await wave(stage, random, options, options.minutes * 60_000, interrupted, async (at) => {
      samples.push({ at, measured: await sampling.take() });
    });
    const end = await settled(sampling, begin);
    console.log(`${traffic.visits} visits, ${traffic.events} events, ${samples.length} samples`);
    const findings = findingsOf(begin, samples, end);
    console.log(tableOf(findings));
    return findings;
  } finally {
    await stage.stop();
    rmSync(stage.folder, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Opens and closes connections for `ms`; resolves once all are closed and nothing is published any more. */
async function wave(
  stage: Stage,
  random: Random,
  { connections, seed }: SoakOptions,
  ms: number,
  interrupted: AbortSignal,
  sample: (at: number) => Promise<void> = async () => {},
): Promise<{ visits: number; events: number }> {
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const { balancer, workers } = stage.main;
  const targets = new Map<string, Target>();
  const prefix = `soak-${seed}-${Math.floor(random.next() * 1e6)}`;
  const plan: PlanOptions = {
    ...{ seed, prefix, viewersEach: 0, browsers: 0 },
    pieces: [100, 400],
    paceMs: [30, 80],
  };
  let begun = 0;

  async function publish(): Promise<void> {
    while (!over.signal.aborted) {
      const execution = planExecution(plan, begun);
      begun += 1;
      targets.set(execution.id, { url: balancer.url, id: execution.id, kind: execution.kind });
      for (let attempt = 1; (await workers.run(execution, attempt)).outcome !== 'ended'; attempt += 1);
      targets.delete(execution.id);
    }
  }

  const published = Promise.all(Array.from({ length: EXECUTIONS }, publish));
  const visitors = startVisitors({
    ...{ count: connections, url: balancer.url, sharedKey: stage.sharedKey, random, signal: over.signal },
    targets: () => [...targets.values()],
  });
  const everyMs = Math.max(1_000, Math.min(10_000, ms / 60));
  const startedAt = Date.now();
  while (Date.now() - startedAt < ms && !interrupted.aborted) {
    await sleep(everyMs);
    await sample(Date.now() - startedAt);
  }
  over.abort();
  await visitors.done;
  await published;
  await sleep(SETTLE_MS);
  return visitors;
}

/** A sample may coincide with running work: values above the baseline are measured again. */
async function settled(sampling: Sampling, begin: Measured): Promise<Measured> {
  let end = await sampling.take();
  for (let tries = 0; tries < 5 && MEASURES.some((measure) => end[measure] > begin[measure]); tries += 1) {
    await sleep(2_000);
    end = await sampling.take();
  }
  return end;
}

const USAGE = `Usage: npm run soak -- [options]

Opens and closes connections at random. Fails if memory, handles, subscriptions or leases of the server grow, or do not
return to where they started.

  --minutes <n>        duration (default: 10)
  --connections <n>    concurrent connections (default: 500)
  --seed <n>           seed of all decisions (default: 1)`;

if (process.argv.includes('--help')) {
  console.log(USAGE);
  process.exit();
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  });
}

try {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      connections: { type: 'string', default: '500' },
      seed: { type: 'string', default: '1' },
    },
  });
  const options: SoakOptions = {
    minutes: number('minutes', values.minutes, 0.1, 24 * 60),
    connections: number('connections', values.connections, 1, 5_000),
    seed: number('seed', values.seed, 0, 2 ** 31),
  };
  console.log(`soak, seed ${options.seed}, ${options.minutes} min, ${options.connections} connections`);
  const findings = await soak(options, interruption.signal);
  process.exitCode = findings.some(({ isWrong }) => isWrong) || interruption.signal.aborted ? 1 : 0;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
