// The body of a workflow whose commands depend on its random numbers and on the order in which its branches continue.
import { executeChild, proxyActivities, sleep, uuid4 } from '@temporalio/workflow';

/** Runs a child of the workflow: directly, or between the events of its stream. */
export type RunChild = <T>(name: string, run: () => Promise<T>) => Promise<T>;

/** A replay compares the types and the ids of activities with the history. */
function activity(type: string, activityId: string): Promise<void> {
  const options = { startToCloseTimeout: '10 s', activityId } as const;
  return proxyActivities<Record<string, () => Promise<void>>>(options)[type]!();
}

export async function order(runChild: RunChild): Promise<string> {
  await runChild('pay', () => activity('pay', uuid4()));
  // Its workflow id is a random number by default.
  await runChild('leaf', () => executeChild('leaf'));
  for (let i = 0; i < 3; i += 1) {
    if (Math.random() < 0.5) await runChild('nap', () => sleep(1));
    else await activity('ship', uuid4());
  }
  // Both branches continue in one workflow task, the first one first.
  const ready = sleep(1);
  await Promise.all([
    runChild('first', () => ready).then(() => activity('pay', 'first')),
    ready.then(() => activity('ship', 'second')),
  ]);
  // So do branches that continue after a failure.
  const failing = sleep(1).then(() => Promise.reject(new Error('no')));
  await Promise.all([
    runChild('third', () => failing).catch(() => activity('pay', 'third')),
    failing.catch(() => activity('ship', 'fourth')),
  ]);
  return uuid4();
}
