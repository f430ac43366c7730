// W: one worker and two, in scenario B. With fewer than four cores what two can deliver together is reckoned: from what
// a frame costs, and from how evenly the viewers have come to stand. Ours alone.
import { OURS } from '../results.ts';
import { EXECSTREAM, TWO_WORKERS } from '../servers/execstream.ts';
import { EXECUTIONS_IN_FLIGHT, MANY, ROUND_MS } from './delivery.ts';
import { deliveryOf, fresh, profiledIfAsked, type Scenario } from './scenario.ts';

const WARM_UP_MS = 3_000;

export const WORKERS: Scenario = {
  name: 'W',
  is: 'B with one worker, and with two on one port: the CPU time of the busiest',
  needsServers: false,
  comparesPeers: false,
  async run(run) {
    for (const [name, kind] of [
      ['W, one worker', EXECSTREAM],
      ['W, two workers', TWO_WORKERS],
    ] as const) {
      await fresh(run, kind, async (staged) => {
        await staged.begin(MANY);
        await staged.connect(OURS, { viewers: MANY, executions: MANY });
        await staged.measure(OURS, { inFlight: EXECUTIONS_IN_FLIGHT, forMs: WARM_UP_MS });
        const measure = () => staged.measure(OURS, { inFlight: EXECUTIONS_IN_FLIGHT, forMs: ROUND_MS });
        const measured = await measure();
        const busiestUsPerFrame = measured.busiestUs / measured.framesOfReaders;
        run.add(name, OURS, { ...deliveryOf(measured), busiestUsPerFrame });
        await profiledIfAsked(run, staged, name, OURS, measure);
      });
    }
  },
};
