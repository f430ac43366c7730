// D: the latency of an event from its publisher to each of 50 viewers, at a low load.
import { deliveryOf, forEachSubject, profileIfRequested, type Scenario } from './scenario.ts';

/**
 * The p99 of 8 s would be decided by eight events, as few as other work on a shared machine delays; in 24 s such
 * delays no longer dominate.
 */
const PERIOD_MS = 24_000;

export const LATENCY: Scenario = {
  name: 'D',
  description: '50 viewers of one execution, 100 events per second',
  needsServers: true,
  comparesPeers: true,
  run: (run) =>
    forEachSubject(run, async (staged, subject) => {
      await staged.connect(subject, { viewers: 50, executions: 1 });
      // At the low load alone, V8 would keep compiling for a minute, on the core that serves.
      await staged.measure(subject, { inFlight: 1, forMs: 3_000 });
      const measure = () => staged.measure(subject, { perSecond: 100, forMs: PERIOD_MS });
      run.add('D', subject, deliveryOf(await measure()));
      await profileIfRequested(run, staged, 'D', subject, measure);
    }),
};
