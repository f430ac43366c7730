// Workflows that do not use execstream, one for each kind of event in a history.
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  createNexusServiceClient,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  startChild,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';

interface Activities {
  hash(text: string): Promise<string>;
}

const local = proxyLocalActivities<Activities>({
  startToCloseTimeout: '5 s',
  retry: { maximumAttempts: 1 },
});
const described = proxyActivities<Activities>({ startToCloseTimeout: '5 s', summary: 'Hash the text' });
const unattended = proxyActivities<Activities>({
  taskQueue: 'nobody-polls-this',
  scheduleToCloseTimeout: '60 s',
});

const go = defineSignal('go');

async function untilSignal(): Promise<void> {
  let isGo = false;
  setHandler(go, () => {
    isGo = true;
  });
  await condition(() => isGo);
}

/** Accepts prices from 0 and fails for 13. */
export async function updatable(): Promise<void> {
  const setPrice = (price: number): number => {
    if (price === 13) throw ApplicationFailure.nonRetryable('unlucky');
    return price;
  };
  const validator = (price: number): void => {
    if (price < 0) throw new Error('negative');
  };
  setHandler(defineUpdate<number, [number]>('setPrice'), setPrice, { validator });
  await untilSignal();
}

/** Local activities, a remote one with a summary, and a patch. */
export async function localWork(): Promise<void> {
  patched('fix-1');
  await local.hash('secret');
  await local.hash('bad').catch(() => {});
  await described.hash('secret');
}

/** A timer that is cancelled when another one fires. */
export async function timers(): Promise<void> {
  const scope = new CancellationScope();
  const waiting = scope.run(() => sleep('1 h')).catch(() => {});
  await sleep(20, { summary: 'A short wait' });
  scope.cancel();
  await waiting;
}

/** Sends a signal and a request to cancel to another workflow, and to one that does not exist. */
export async function messenger(target: string): Promise<void> {
  for (const id of [target, 'nobody-has-this-id']) {
    await getExternalWorkflowHandle(id)
      .signal(go)
      .catch(() => {});
    await getExternalWorkflowHandle(id)
      .cancel()
      .catch(() => {});
  }
}

export async function waiter(): Promise<void> {
  await untilSignal();
  await sleep('1 h').catch((error) => {
    if (!isCancellation(error)) throw error;
  });
}

/** A child that succeeds, one that fails, one whose id is in use, and one that outlives it. */
export async function family(): Promise<void> {
  const { workflowId } = workflowInfo();
  await executeChild(timers, { workflowId: `${workflowId}/first`, staticSummary: 'The first child' });
  await executeChild(failing, { workflowId: `${workflowId}/second` }).catch(() => {});
  await startChild(timers, { workflowId }).catch(() => {});
  await startChild(waiter, { workflowId: `${workflowId}/third`, parentClosePolicy: 'ABANDON' });
}

export async function failing(): Promise<void> {
  throw ApplicationFailure.nonRetryable('broken');
}

export async function properties(): Promise<void> {
  upsertSearchAttributes({ KindsKeyword: ['secret'] });
  upsertMemo({ note: 'secret' });
}

/** Cancels an activity that nobody runs. */
export async function cancelling(): Promise<void> {
  const scope = new CancellationScope();
  const running = scope.run(() => unattended.hash('x')).catch(() => {});
  await sleep(20);
  scope.cancel();
  await running;
  await sleep(20);
}

/** Waits for a signal, so that others can change its options, pause it or reset it. */
export async function patient(): Promise<void> {
  await untilSignal();
}

/** Nexus operations: one that returns, one that fails, one that a workflow runs, and one that nobody handles. */
export async function nexusCaller(endpoint: string, idleEndpoint: string): Promise<void> {
  const call = (at: string, name: string, scheduleToCloseTimeout: string) =>
    createNexusServiceClient({ endpoint: at, service: KINDS_SERVICE })
      .executeOperation(name, 'secret' as never, { scheduleToCloseTimeout: scheduleToCloseTimeout as '1 s' })
      .catch(() => {});
  await call(endpoint, 'echo', '20 s');
  await call(endpoint, 'refuse', '20 s');
  await call(endpoint, 'run', '20 s');
  await call(idleEndpoint, 'echo', '300 ms');
}

/** The Nexus service of a worker in the test. */
const KINDS_SERVICE = {
  name: 'kinds',
  operations: Object.fromEntries(['echo', 'refuse', 'run'].map((name) => [name, { name }])),
} as never as Parameters<typeof createNexusServiceClient>[0]['service'];
