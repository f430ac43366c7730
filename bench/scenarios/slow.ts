// F: a tenth of the viewers stops reading. Measures the memory, and the effect on the other viewers.
import type { Staged } from '../stage.ts';
import { settledBytes } from './memory.ts';
import { deliveryOf, forEachKind, fresh, profileIfRequested, type Run, type Scenario } from './scenario.ts';

const VIEWERS = 100;
const SLOW = 0.1;
/** About 8 MB of frames per viewer, more than the buffers of the operating system hold. */
const EVENTS = 40_000;
/** Enough for V8's young generation to reach the size that it has under this load. */
const WARM_UP_EVENTS = 20_000;
/** The time limit of the warm-up and of the measurement, which slow servers reach first. */
const MAX_MS = 15_000;

export const SLOW_VIEWERS: Scenario = {
  name: 'F',
  description: '100 viewers, a tenth of which reads nothing, and 40,000 events',
  needsServers: false,
  comparesPeers: false,
  run: (run) =>
    forEachKind(run, async (kind) => {
      const baselineGrowth = await fresh(run, kind, (staged) => measure(run, staged, false));
      await fresh(run, kind, (staged) => measure(run, staged, true, baselineGrowth));
    }),
};

/**
 * @param baselineGrowth memory growth with the same events and no slow viewers, in bytes
 * @returns the memory growth in bytes
 */
async function measure(run: Run, staged: Staged, isSlow: boolean, baselineGrowth = 0): Promise<number> {
  const subject = staged.subjects[0]!;
  await staged.connect(subject, { viewers: VIEWERS, executions: 1 });
  const publish = (events: number) => staged.measure(subject, { inFlight: 16, forMs: MAX_MS, events });
  await publish(WARM_UP_EVENTS);
  const slow = isSlow ? await staged.stopReading(SLOW) : 0;
  const before = await settledBytes(staged);
  const measured = await publish(EVENTS);
  const growth = (await settledBytes(staged)) - before;
  const measures = {
    ...deliveryOf(measured),
    eventsPerSecond: measured.published / measured.seconds,
    growthMb: growth / 1e6,
  };
  if (slow === 0) run.add('F, none slow', subject, measures);
  else run.add('F', subject, { ...measures, kbPerSlowViewer: (growth - baselineGrowth) / 1_000 / slow });
  await profileIfRequested(run, staged, 'F', subject, () => publish(EVENTS));
  await staged.disconnect();
  return growth;
}
