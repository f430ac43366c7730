// E: 200 viewers join late and read 10,000 events each while the execution continues. Only ours: the peers keep no
// log.
import { cpuUs } from '../proc.ts';
import { OURS } from '../results.ts';
import { deliveryOf, fresh, profileIfRequested, type Scenario } from './scenario.ts';

const VIEWERS = 200;
const EVENTS = 10_000;
/**
 * The same replay is run this many times before, to measure a warmed-up server: V8 compiles in its own threads,
 * which on one core delay the event loop by turns of 4 ms.
 */
const WARM_UPS = 3;

export const REPLAY: Scenario = {
  name: 'E',
  description: '200 viewers join late and replay 10,000 events each while it continues',
  needsServers: false,
  comparesPeers: false,
  async run(run) {
    const kind = run.kinds.find(({ name }) => name === OURS)!;
    // A new server, whose log holds only these events.
    await fresh(run, kind, async (staged) => {
      await staged.begin(1);
      await staged.fill(EVENTS);
      const { control, pids } = staged.server;
      const replay = async (forMs = 6_000) => {
        await staged.connect(OURS, { viewers: VIEWERS, executions: 1, fromStart: true });
        return staged.measure(OURS, { perSecond: 100, forMs });
      };
      let events = EVENTS;
      for (let i = 0; i < WARM_UPS; i++) events += (await replay(3_000)).published;
      await control!('watchDelay');
      const usedUs = cpuUs(pids);
      const measured = await replay();
      const delay = (await control!('readDelay')) as { p50: number; p99: number; p999: number; max: number };
      const { lost = 0 } = deliveryOf(measured);
      // Most frames were sent while the last connections were still being opened.
      const frames = VIEWERS * (events + measured.published) - lost;
      run.add('E', OURS, {
        cpuUsPerFrame: (cpuUs(pids) - usedUs) / frames,
        lost,
        delayP50Ms: delay.p50,
        delayP99Ms: delay.p99,
        delayP999Ms: delay.p999,
        delayMaxMs: delay.max,
      });
      await profileIfRequested(run, staged, 'E', OURS, replay);
    });
  },
};
