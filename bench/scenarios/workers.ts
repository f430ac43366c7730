// W: one worker and two, in scenario B. With fewer than four cores, the throughput of two is computed from the cost
// of a frame and from the distribution of the viewers. Only ours.
import type { Measured } from '../generator/turn.ts';
import { OURS } from '../results.ts';
import { EXECSTREAM, TWO_WORKERS } from '../servers/execstream.ts';
import type { Staged } from '../stage.ts';
import { EXECUTIONS_IN_FLIGHT, MANY, ROUND_MS } from './delivery.ts';
import { deliveryOf, fresh, profileIfRequested, type Scenario } from './scenario.ts';

/** Longer than elsewhere: each of two new workers has only half of the work that triggers V8's compilation. */
const WARM_UP_MS = 8_000;
const TURNS = 4;

export const WORKERS: Scenario = {
  name: 'W',
  description: 'B with one worker, and with two on one port: the CPU time of the busiest',
  needsServers: false,
  comparesPeers: false,
  run: (run) =>
    fresh(run, EXECSTREAM, (one) =>
      fresh(run, TWO_WORKERS, async (two) => {
        const both = [
          ['W, one worker', one],
          ['W, two workers', two],
        ] as const;
        for (const [, staged] of both) {
          await staged.begin(MANY);
          await staged.connect(OURS, { viewers: MANY, executions: MANY });
          await measured(staged, WARM_UP_MS);
        }
        // In turns, so that other work on the machine affects both equally.
        for (let turn = 0; turn < TURNS; turn++) {
          for (const [name, staged] of both) {
            const result = await measured(staged, ROUND_MS / 2);
            const busiestUsPerFrame = result.busiestUs / result.framesOfReaders;
            run.add(name, OURS, { ...deliveryOf(result), busiestUsPerFrame });
          }
        }
        for (const [name, staged] of both) {
          await profileIfRequested(run, staged, name, OURS, () => measured(staged, ROUND_MS));
        }
      }),
    ),
};

function measured(staged: Staged, forMs: number): Promise<Measured> {
  return staged.measure(OURS, { inFlight: EXECUTIONS_IN_FLIGHT, forMs });
}
