// D: how long an event takes from its publisher to each of 50 viewers, at a load that no server minds.
import { deliveryOf, forEachSubject, profiledIfAsked, type Scenario } from './scenario.ts';

/**
 * A p99 is its slowest hundredth: of 8 s that were eight events, and as many wait for something else that a shared
 * machine does. Of 24 s those are no longer what it tells.
 */
const STRETCH_MS = 24_000;

export const LATENCY: Scenario = {
  name: 'D',
  is: '50 viewers of one execution, 100 events a second',
  needsServers: true,
  comparesPeers: true,
  run: (run) =>
    forEachSubject(run, async (staged, subject) => {
      await staged.connect(subject, { viewers: 50, executions: 1 });
      // At the modest load itself a server of Node would be at its compiling for a minute, on the core that it serves from.
      await staged.measure(subject, { inFlight: 1, forMs: 3_000 });
      const measure = () => staged.measure(subject, { perSecond: 100, forMs: STRETCH_MS });
      run.add('D', subject, deliveryOf(await measure()));
      await profiledIfAsked(run, staged, 'D', subject, measure);
    }),
};
