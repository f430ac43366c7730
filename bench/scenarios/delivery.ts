// A, B and H: what it costs to deliver an event to many viewers of one execution, to one viewer each of many, and as
// the viewers grow.
import { resolve } from 'node:path';
import type { Pace } from '../generator/turn.ts';
import { OURS } from '../results.ts';
import type { Staged } from '../stage.ts';
import { deliveryOf, forEachSubject, profiled, profileName, type Run, type Scenario } from './scenario.ts';

const VIEWERS = 1_000;
/** Executions in B, a viewer each. */
export const MANY = 1_000;
/** How many events of all executions together are on their way in B, as when each has its own pace. */
export const EXECUTIONS_IN_FLIGHT = 64;
/** Servers look after each watched execution every 5 or 10 s: a stretch of so long has its share of that. */
export const ROUND_MS = 10_000;

export const ONE_EXECUTION: Scenario = {
  name: 'A',
  is: 'one execution, 1,000 viewers; the next event once all have one, and 16 events in flight',
  needsServers: true,
  run: (run) =>
    forEachSubject(run, async (staged, subject) => {
      await staged.connect(subject, { viewers: VIEWERS, executions: 1 });
      await warmUp(run, staged, subject, 1);
      await measure(run, staged, subject, 'A, one in flight', 1);
      await warmUp(run, staged, subject, 16);
      await measure(run, staged, subject, 'A, 16 in flight', 16);
    }),
};

export const MANY_EXECUTIONS: Scenario = {
  name: 'B',
  is: '1,000 executions, a viewer each; 64 events of all in flight',
  needsServers: true,
  run: (run) =>
    forEachSubject(run, async (staged, subject) => {
      await staged.connect(subject, { viewers: MANY, executions: MANY });
      await warmUp(run, staged, subject, EXECUTIONS_IN_FLIGHT);
      await measure(run, staged, subject, 'B', EXECUTIONS_IN_FLIGHT, ROUND_MS);
    }),
};

export const MORE_VIEWERS: Scenario = {
  name: 'H',
  is: 'one execution, 10 to 10,000 viewers; the next event once all have one',
  needsServers: true,
  run: (run) =>
    forEachSubject(run, async (staged, subject) => {
      for (const viewers of [10, 100, 1_000, 10_000]) {
        await staged.connect(subject, { viewers, executions: 1 });
        await warmUp(run, staged, subject, 1);
        await measure(run, staged, subject, `H, ${viewers} viewers`, 1);
        await staged.disconnect();
      }
    }),
};

async function warmUp(run: Run, staged: Staged, subject: string, inFlight: number): Promise<void> {
  const { lost, repeated, broken } = await staged.measure(subject, {
    inFlight,
    forMs: run.isQuick ? 400 : 1_500,
  });
  // The first events come right behind the head of the answer: whoever listens only later has lost them.
  run.add('first events', subject, { lost: lost + repeated + broken });
}

async function measure(
  run: Run,
  staged: Staged,
  subject: string,
  scenario: string,
  inFlight: number,
  forMs = 3_000,
): Promise<void> {
  const pace: Pace = { inFlight, forMs: run.isQuick ? 1_200 : forMs };
  run.add(scenario, subject, deliveryOf(await staged.measure(subject, pace)));
  if (run.profile !== undefined && staged.kind.name === OURS) {
    const file = resolve(run.profile, profileName(scenario, subject));
    await profiled(staged, file, () => staged.measure(subject, pace));
  }
}
