// One run: starts the stage, publishes and watches executions, injects faults, and judges the results.
import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultStage } from './faults/fault.ts';
import { createSchedule } from './faults/schedule.ts';
import { readJournals } from './journal/reader.ts';
import type { Options } from './options.ts';
import type { PlanOptions } from './plan.ts';
import { createRandom } from './random.ts';
import type { RunResult } from './report.ts';
import { startRunLoop } from './run-loop.ts';
import { startStage } from './stage/stage.ts';
import { createTotals } from './totals.ts';
import { startBrowser } from './viewers/browser.ts';
import { createPauses } from './viewers/pauses.ts';
import type { ViewerCounts } from './viewers/viewer.ts';

const CONCURRENCY = 12;
const WORKERS = 3;
const TEMPORAL_WORKERS = 2;
/** Concurrent workflows. */
const WORKFLOWS = 3;
/** The second deployment exists for its Redis, with few concurrent executions and few viewers of each. */
const FAILOVER = { concurrency: 3, viewersEach: 6 };
/** How long executions may take to end after the last fault, in ms. */
const LAST_MS = 90_000;

/** @param interrupted ends the run early: executions that have started still end. */
export async function runChaos(
  options: Options,
  interrupted: AbortSignal,
  log: (line: string) => void,
): Promise<RunResult> {
  const { seed, minutes, faults } = options;
  const random = createRandom(seed, options.scenario);
  const stage = await startStage({
    ...{ random, servers: options.servers, workers: WORKERS },
    temporalWorkers: faults.includes('temporal-worker-killed') ? TEMPORAL_WORKERS : 0,
    hasFailover: faults.includes('redis-failover'),
  });
  const over = new AbortController();
  const closing = new AbortController();
  const timeUp = new AbortController();
  // Each viewer and each attempt adds a listener.
  setMaxListeners(0, over.signal);
  try {
    const totals = createTotals();
    const counts: ViewerCounts = { connections: 0, rejections: new Map(), renewals: 0 };
    const pauses = createPauses();
    const attempts: string[] = [];
    const browser = options.browsers > 0 ? await startBrowser(stage.main.balancer.url) : undefined;
    stage.onStop(async () => browser?.close());
    const faultStage: FaultStage = {
      ...{ ...stage.main, redis: stage.redis, postgres: stage.postgres, failover: stage.failover?.redis },
      random: random.fork('faults'),
      viewers: () => loops.flatMap(({ viewers }) => viewers()),
      renewals: () => counts.renewals,
      hasEndedReaders: () => loops[0]!.hasEndedReaders(),
      ...{ destructions: [], failovers: [], signal: interrupted },
    };
    const schedule = createSchedule({
      ...{ stage: faultStage, random: random.fork('schedule'), kinds: faults, timeUp: timeUp.signal, log },
      restMs: restOf(options),
    });
    const common = {
      ...{ totals, counts, pauses, played: schedule.played, sharedKey: stage.sharedKey },
      ...{ folder: stage.folder, journals: readJournals(join(stage.folder, 'journals')) },
      ...{ closing: closing.signal, over: over.signal, log: (line: string) => void attempts.push(line) },
    };
    const plan = planOf(options);
    const startedAt = Date.now();
    const main = {
      ...{ ...common, deployment: stage.main, plan, browser, destructions: faultStage.destructions },
      ...{ concurrency: CONCURRENCY, workflows: WORKFLOWS },
    };
    const loops = [startRunLoop(main)];
    if (stage.failover) {
      const { deployment } = stage.failover;
      const { concurrency, viewersEach } = FAILOVER;
      const secondPlan = { ...plan, prefix: `${plan.prefix}-failover`, viewersEach, browsers: 0 };
      const destructions = faultStage.failovers;
      loops.push(
        startRunLoop({ ...common, deployment, plan: secondPlan, concurrency, workflows: 0, destructions }),
      );
    }
    const playing = schedule.run();
    await Promise.race([sleep(minutes * 60_000), aborted(interrupted)]);
    timeUp.abort();
    await playing;
    closing.abort();
    const timeout = setTimeout(() => over.abort(), LAST_MS);
    await Promise.all(loops.map(({ done }) => done));
    clearTimeout(timeout);
    writeFileSync(join(stage.folder, 'attempts.log'), `${attempts.join('\n')}\n`);
    return {
      ...{ options, totals, played: schedule.played, faults: schedule.counts(), problems: schedule.problems },
      longestPause: pauses.longest,
      longPauses: pauses.long,
      ...{ connections: counts.connections, renewals: counts.renewals },
      rejections: Object.fromEntries(counts.rejections),
      seconds: (Date.now() - startedAt) / 1_000,
      folder: stage.folder,
    };
  } finally {
    over.abort();
    await stage.stop();
  }
}

/** The pause between two faults, in ms. Before the next deployment, all viewers should have reconnected. */
function restOf({ scenario, minutes }: Options): readonly [number, number] {
  if (scenario === 'rolling') return [8_000, 12_000];
  return minutes < 1 ? [300, 1_000] : [1_500, 4_000];
}

function planOf({ scenario, seed, minutes, viewers, browsers }: Options): PlanOptions {
  // In a short run, executions have to end soon after it.
  const pieces: readonly [number, number] = minutes < 1 ? [40, 160] : [150, 500];
  // The rolling scenario is about the number of viewers, not about the volume.
  const volume = {
    chaos: { pieces, paceMs: [30, 80] },
    rolling: { pieces: [60, 150], paceMs: [150, 300] },
  } as const;
  const viewersEach = Math.max(1, Math.round(viewers / CONCURRENCY));
  return {
    seed,
    prefix: `prove-${seed}`,
    viewersEach,
    browsers: browsers / CONCURRENCY,
    ...volume[scenario],
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}
