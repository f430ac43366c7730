// E: 200 viewers join late and read 10,000 events each while the execution goes on. Ours alone: the peers keep no log.
import { cpuUs } from '../proc.ts';
import { OURS } from '../results.ts';
import { deliveryOf, fresh, profiledIfAsked, type Scenario } from './scenario.ts';

const VIEWERS = 200;
const EVENTS = 10_000;
/**
 * The same before, so often: what is measured is a server that has run. V8 compiles in threads of its own, and on one
 * core each of them takes turns of 4 ms before the event loop.
 */
const WARM_UPS = 3;

export const REPLAY: Scenario = {
  name: 'E',
  is: '200 viewers join late and replay 10,000 events each while it goes on',
  needsServers: false,
  comparesPeers: false,
  async run(run) {
    const kind = run.kinds.find(({ name }) => name === OURS)!;
    // A new one, whose log holds just these events.
    await fresh(run, kind, async (staged) => {
      await staged.begin(1);
      await staged.fill(EVENTS);
      const { look, pids } = staged.server;
      const replay = async (forMs = 6_000) => {
        await staged.connect(OURS, { viewers: VIEWERS, executions: 1, fromStart: true });
        return staged.measure(OURS, { perSecond: 100, forMs });
      };
      let events = EVENTS;
      for (let i = 0; i < WARM_UPS; i++) events += (await replay(3_000)).published;
      await look!('watchDelay');
      const usedUs = cpuUs(pids);
      const measured = await replay();
      const delay = (await look!('tellDelay')) as { p50: number; p99: number; p999: number; max: number };
      const { lost = 0 } = deliveryOf(measured);
      // Most was sent while the last ones were still on their way in.
      const frames = VIEWERS * (events + measured.published) - lost;
      run.add('E', OURS, {
        cpuUsPerFrame: (cpuUs(pids) - usedUs) / frames,
        lost,
        delayP50Ms: delay.p50,
        delayP99Ms: delay.p99,
        delayP999Ms: delay.p999,
        delayMaxMs: delay.max,
      });
      await profiledIfAsked(run, staged, 'E', OURS, replay);
    });
  },
};
