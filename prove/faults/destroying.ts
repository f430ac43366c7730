// Faults that destroy acknowledged data. What is open is made good by its publishers, after a `reset`. An execution
// that has ended has no publisher any more: its viewers would get a `gap`, which the proof counts as lost. So ends are
// held back until nobody reads of an ended execution, and let go once the data are gone.
import type { Destruction } from '../check/judge.ts';
import { type Fault, type FaultStage, pause } from './fault.ts';

const PATIENCE_MS = 20_000;

async function destroy(stage: FaultStage, act: () => Promise<void>): Promise<boolean> {
  const { destructions } = stage;
  const crews = [stage.workers, stage.temporalWorkers].filter((crew) => crew !== undefined);
  await Promise.all(crews.map((crew) => crew.hold()));
  try {
    const deadline = Date.now() + PATIENCE_MS;
    // A workflow ends a moment after the last of its activities.
    await pause(500);
    while (stage.isOwed()) {
      if (Date.now() > deadline || stage.signal.aborted) return false;
      await pause(20);
    }
    await during(destructions, act);
  } finally {
    for (const crew of crews) crew.release();
  }
  return true;
}

/** Notes when data went, for the judge. */
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
      await pause(stage.random.whole(1_000, 3_000));
      return destroy(stage, () => stage.redis.rollBack());
    },
  },
  {
    // What the master alone had goes with it: viewers may have seen it, and it was not acknowledged.
    kind: 'redis-failover',
    async play({ failover, failovers }) {
      if (!failover) return false;
      await during(failovers, () => failover.failOver());
      return true;
    },
  },
];
