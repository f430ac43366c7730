// A, B and H: the cost of delivering an event to many viewers of one execution, to one viewer of each of many
// executions, and as the number of viewers grows.
import type { Pace } from '../generator/turn.ts';
import { OURS } from '../results.ts';
import type { Staged } from '../stage.ts';
import { deliveryOf, forEachSubject, profileIfRequested, type Run, type Scenario } from './scenario.ts';

const VIEWERS = 1_000;
/** Executions in B, each with one viewer. */
export const MANY = 1_000;
/** Events in flight in B, over all executions, which stands for executions with independent pace. */
export const EXECUTIONS_IN_FLIGHT = 64;
/** Before B, also in the quick form: the first events of an execution are not representative. */
const EXECUTIONS_WARM_UP_MS = 2_000;
/** In H, peers that need longer per event are not measured with 16 in flight. */
const MAX_EVENT_US = 1_000_000;
/** Servers check every watched execution every 5 or 10 s: this period includes its share of that work. */
export const ROUND_MS = 10_000;

export const ONE_EXECUTION: Scenario = {
  name: 'A',
  description:
    'one execution, 1,000 viewers; the next event once all have received one, and 16 events in flight',
  needsServers: true,
  comparesPeers: true,
  run: (run) =>
    forEachSubject(run, async (staged, subject) => {
      await staged.connect(subject, { viewers: VIEWERS, executions: 1 });
      await warmUp(run, staged, subject, 1);
      await measure(run, staged, subject, 'A, one in flight', { inFlight: 1, forMs: 3_000 });
      await warmUp(run, staged, subject, 16);
      await measure(run, staged, subject, 'A, 16 in flight', { inFlight: 16, forMs: 3_000 });
    }),
};

export const MANY_EXECUTIONS: Scenario = {
  name: 'B',
  description: '1,000 executions with one viewer each; 64 events in flight in total',
  needsServers: true,
  comparesPeers: true,
  run: (run) =>
    forEachSubject(run, async (staged, subject) => {
      await staged.connect(subject, { viewers: MANY, executions: MANY });
      await warmUp(run, staged, subject, EXECUTIONS_IN_FLIGHT, EXECUTIONS_WARM_UP_MS);
      await measure(run, staged, subject, 'B', { inFlight: EXECUTIONS_IN_FLIGHT, forMs: ROUND_MS });
    }),
};

export const MORE_VIEWERS: Scenario = {
  name: 'H',
  description:
    'one execution, 10 to 10,000 viewers; the next event once all have received one, and 16 events in flight',
  needsServers: true,
  comparesPeers: false,
  run: (run) =>
    forEachSubject(run, async (staged, subject) => {
      for (const viewers of [10, 100, 1_000, 10_000]) {
        await staged.connect(subject, { viewers, executions: 1 });
        await warmUp(run, staged, subject, 1);
        const name = `H, ${viewers} viewers`;
        const cost = await measure(run, staged, subject, name, { inFlight: 1, forMs: 3_000 });
        if (cost * viewers < MAX_EVENT_US || staged.kind.name === OURS) {
          await warmUp(run, staged, subject, 16);
          await measure(run, staged, subject, `${name}, 16 in flight`, { inFlight: 16, forMs: 3_000 });
        }
        await staged.disconnect();
      }
    }),
};

async function warmUp(
  run: Run,
  staged: Staged,
  subject: string,
  inFlight: number,
  forMs = run.isQuick ? 400 : 2_500,
): Promise<void> {
  const { lost, repeated, broken } = await staged.measure(subject, { inFlight, forMs });
  // The first events arrive right after the response head; a server that subscribes later loses them.
  run.add('first events', subject, { lost: lost + repeated + broken });
}

/** @returns CPU time of the server per frame, in µs */
async function measure(
  run: Run,
  staged: Staged,
  subject: string,
  scenario: string,
  pace: Pace,
): Promise<number> {
  const atPace = () => staged.measure(subject, run.isQuick ? { ...pace, forMs: 1_200 } : pace);
  const measures = deliveryOf(await atPace());
  run.add(scenario, subject, measures);
  await profileIfRequested(run, staged, scenario, subject, atPace);
  return measures.cpuUsPerFrame ?? Number.POSITIVE_INFINITY;
}
