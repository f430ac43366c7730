// Faults that destroy acknowledged data. Publishers resend the data of open executions after a `reset`. An
// execution that has ended has no publisher any more: its viewers would get a `gap`, which the proof counts as
// lost. So executions are kept from ending until no viewer reads one that has ended; they may end again once the
// data are destroyed.
import type { Destruction } from '../check/judge.ts';
import { type Fault, type FaultStage, pause } from './fault.ts';

const PATIENCE_MS = 20_000;

async function destroy(stage: FaultStage, act: () => Promise<void>): Promise<boolean> {
  const { destructions } = stage;
  const pools = [stage.workers, stage.temporalWorkers].filter((pool) => pool !== undefined);
  await Promise.all(pools.map((pool) => pool.hold()));
  try {
    const deadline = Date.now() + PATIENCE_MS;
    // A workflow ends shortly after the last of its activities.
    await pause(500);
    while (stage.hasEndedReaders()) {
      if (Date.now() > deadline || stage.signal.aborted) return false;
      await pause(20);
    }
    await during(destructions, act);
  } finally {
    for (const pool of pools) pool.release();
  }
  return true;
}

/** Records when data were destroyed, for the judge. */
async function during(destructions: FaultStage['destructions'], act: () => Promise<void>): Promise<void> {
  const destruction: Writable<Destruction> = { from: Date.now(), to: Number.POSITIVE_INFINITY };
  destructions.push(destruction);
  await act();
  destruction.to = Date.now();
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export const DESTROYING: readonly Fault[] = [
  { kind: 'redis-emptied', play: (stage) => destroy(stage, () => stage.redis.empty()) },
  {
    kind: 'redis-rolled-back',
    async play(stage) {
      await stage.redis.snapshot();
      await pause(stage.random.integer(1_000, 3_000));
      return destroy(stage, () => stage.redis.rollBack());
    },
  },
  {
    // Events that only the master had are lost with it: viewers may have seen them, but they were not acknowledged.
    kind: 'redis-failover',
    async play({ failover, failovers }) {
      if (!failover) return false;
      await during(failovers, () => failover.failOver());
      return true;
    },
  },
];
