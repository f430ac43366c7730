// Workflows that do not use execstream, whose activities take a while.
import {
  condition,
  continueAsNew,
  createNexusServiceClient,
  defineSignal,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';

interface Activities {
  work(): Promise<string>;
}

const { work } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '30 s',
  retry: { initialInterval: '2 s', backoffCoefficient: 1 },
});
const unattended = proxyActivities<Activities>({
  taskQueue: 'nobody-polls-this-either',
  scheduleToCloseTimeout: '60 s',
});

export async function worker(): Promise<string> {
  return work();
}

/** Its activity has no worker. */
export async function abandoned(): Promise<string> {
  return unattended.work();
}

/** Works once in each of this many runs. */
export async function shifts(left: number): Promise<void> {
  await work();
  if (left > 1) await continueAsNew<typeof shifts>(left - 1);
}

const go = defineSignal('go');

/** Has no activity. */
export async function idle(): Promise<void> {
  let isGo = false;
  setHandler(go, () => {
    isGo = true;
  });
  await condition(() => isGo);
}

/** Its Nexus operation is handled at the second attempt. */
export async function caller(endpoint: string): Promise<void> {
  const service = { name: 'slow', operations: { answer: { name: 'answer' } } };
  const client = createNexusServiceClient({ endpoint, service: service as never });
  await client.executeOperation('answer' as never, null as never, { scheduleToCloseTimeout: '40 s' });
}
