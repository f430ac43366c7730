// Workflows that have a Workflow Stream, with the library of Temporal.
import { condition, defineSignal, proxyActivities, setHandler, sleep } from '@temporalio/workflow';
import { WorkflowStream } from '@temporalio/workflow-streams/workflow';

const { publishTokens, publishThenFail } = proxyActivities({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: 50, backoffCoefficient: 1 },
});
const close = defineSignal('close');

/** As Temporal's documentation advises: until then, the last items can be polled. */
const LINGER_MS = 700;

/** Publishes its status itself, and tokens by an activity. */
export async function order(tokens) {
  const status = new WorkflowStream().topic('status');
  status.publish({ kind: 'received' });
  await publishTokens('tokens', tokens);
  status.publish({ kind: 'complete' });
  await sleep(LINGER_MS);
  return 'shipped';
}

/** Publishes nothing itself. */
export async function hub() {
  new WorkflowStream();
  let isClosed = false;
  setHandler(close, () => {
    isClosed = true;
  });
  await condition(() => isClosed);
}

/** Two activities that publish concurrently, each on its own topic. */
export async function concurrent(tokens) {
  new WorkflowStream();
  await Promise.all([publishTokens('left', tokens), publishTokens('right', tokens)]);
}

/** An activity that fails once in the middle of its stream. */
export async function retried() {
  new WorkflowStream();
  await publishThenFail('tokens');
}

/** Continues as new three times, with items that no poll has read. */
export async function chain({ step, state }) {
  const stream = new WorkflowStream(state);
  stream.topic('own').publish(`run ${step}`);
  await publishTokens('tokens', [`token ${step} `]);
  stream.topic('own').publish(`last of ${step}`);
  if (step < 3) await stream.continueAsNew((carried) => [{ step: step + 1, state: carried }]);
  await sleep(LINGER_MS);
}

/** Removes its items soon after it has published them. */
export async function ticker(count) {
  const stream = new WorkflowStream();
  const ticks = stream.topic('ticks');
  for (let n = 0; n < count; n += 1) {
    ticks.publish(n);
    await sleep(200);
    if (n % 5 === 4) stream.truncate(n);
  }
  await sleep(LINGER_MS);
}
