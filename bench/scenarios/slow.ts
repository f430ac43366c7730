// F: a tenth of the viewers stops reading. What does that cost in memory, and the others in time?
import type { Staged } from '../stage.ts';
import { settledBytes } from './memory.ts';
import { deliveryOf, forEachKind, fresh, profiledIfAsked, type Run, type Scenario } from './scenario.ts';

const VIEWERS = 100;
const SLOW = 0.1;
/** About 8 MB of frames for each viewer: more than the buffers of the system take. */
const EVENTS = 40_000;
/** Enough for V8 to have given young objects the room that they take while events come. */
const WARM_UP_EVENTS = 20_000;
/** Servers that are slow themselves get as many as they take in this time, in the warm-up and in what is measured. */
const AT_MOST_MS = 15_000;

export const SLOW_VIEWERS: Scenario = {
  name: 'F',
  is: '100 viewers, of whom a tenth reads nothing, and 40,000 events',
  needsServers: false,
  comparesPeers: false,
  run: (run) =>
    forEachKind(run, async (kind) => {
      const growthOfAll = await fresh(run, kind, (staged) => measure(run, staged, false));
      await fresh(run, kind, (staged) => measure(run, staged, true, growthOfAll));
    }),
};

/**
 * @param growthOfAll what the same events let memory grow by where nobody is slow, in bytes
 * @returns what they do now
 */
async function measure(run: Run, staged: Staged, isSlow: boolean, growthOfAll = 0): Promise<number> {
  const subject = staged.subjects[0]!;
  await staged.connect(subject, { viewers: VIEWERS, executions: 1 });
  const publish = (events: number) => staged.measure(subject, { inFlight: 16, forMs: AT_MOST_MS, events });
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
  else run.add('F', subject, { ...measures, kbPerSlowViewer: (growth - growthOfAll) / 1_000 / slow });
  await profiledIfAsked(run, staged, 'F', subject, () => publish(EVENTS));
  await staged.disconnect();
  return growth;
}
