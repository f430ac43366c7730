// Workflows that do not use execstream, and some with their own query `getStreamState`.
import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  executeChild,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';

interface Activities {
  fetchPage(url: string): Promise<string>;
  flaky(): Promise<string>;
  stubborn(): Promise<string>;
}

const { fetchPage, flaky } = proxyActivities<Activities>({
  startToCloseTimeout: '10 s',
  retry: { initialInterval: '20 ms', maximumAttempts: 3 },
});
const { fetchPage: fetchOnce } = proxyActivities<Activities>({
  startToCloseTimeout: '10 s',
  retry: { maximumAttempts: 1 },
});

const { stubborn } = proxyActivities<Activities>({
  startToCloseTimeout: '10 s',
  retry: { initialInterval: '1 s', backoffCoefficient: 1 },
});

export const go = defineSignal('go');

/** Activities, one that is retried and one that fails, a child, a timer and a signal. */
export async function order(customer: string): Promise<{ secret: string }> {
  let isGo = false;
  setHandler(go, () => {
    isGo = true;
  });
  await fetchPage('https://example.com/secret');
  await flaky();
  await fetchOnce('bad').catch(() => {});
  await executeChild(delivery, { workflowId: `${workflowInfo().workflowId}/delivery` });
  await condition(() => isGo);
  return { secret: customer };
}

export async function delivery(): Promise<string> {
  await sleep(50);
  return 'delivered';
}

/** Its activity fails twice, and is retried after a while. */
export async function persistent(): Promise<string> {
  return stubborn();
}

/** Waits for the signal, through this many runs. */
export async function lapper(left: number): Promise<number> {
  let isGo = false;
  setHandler(go, () => {
    isGo = true;
  });
  await condition(() => isGo);
  if (left > 1) await continueAsNew<typeof lapper>(left - 1);
  return left;
}

/** Fails at its first attempts. */
export async function stumbler(): Promise<string> {
  if (workflowInfo().attempt < 2) throw ApplicationFailure.retryable('stumbled', 'StumbleError');
  await sleep(50);
  return 'up again';
}

interface PlainEvent {
  id: number;
  type: string;
  ts: string;
  data: object;
}

/** The plain form of the query: all events, without pages and run. */
export async function plainQuery(): Promise<string> {
  const events: PlainEvent[] = [];
  let status = 'RUNNING';
  const emit = (type: string, data: object) => {
    events.push({ id: events.length + 1, type, ts: new Date().toISOString(), data });
  };
  setHandler(defineQuery('getStreamState'), () => ({ events, status }));
  const { workflowId, workflowType, runId } = workflowInfo();
  emit('workflow_start', { workflowId, workflowType, runId });
  emit('status', { status: 'RUNNING', step: 'one' });
  await sleep(100);
  emit('nonsense', { x: 1 });
  emit('complete', { status: 'SUCCESS', result: 'plain', usage: undefined });
  status = 'SUCCESS';
  return 'plain';
}

/** The plain form of the query, until the signal. */
export async function waitingQuery(): Promise<void> {
  let isGo = false;
  setHandler(go, () => {
    isGo = true;
  });
  const { workflowId, workflowType, runId } = workflowInfo();
  const start = { id: 1, type: 'workflow_start', data: { workflowId, workflowType, runId } };
  const events = [{ ...start, ts: new Date().toISOString() }];
  setHandler(defineQuery('getStreamState'), () => ({ events, status: 'RUNNING' }));
  await condition(() => isGo);
}

/** Its query's handler throws until the signal. */
export async function badQuery(): Promise<void> {
  let isGo = false;
  setHandler(go, () => {
    isGo = true;
  });
  setHandler(defineQuery('getStreamState'), () => {
    throw new Error('the handler is broken');
  });
  await condition(() => isGo);
}

/** Another purpose has its query of the same name. */
export async function otherQuery(): Promise<string> {
  let isGo = false;
  setHandler(go, () => {
    isGo = true;
  });
  setHandler(defineQuery('getStreamState'), () => ({ stream: 'of water' }));
  await condition(() => isGo);
  return 'dry';
}

/** Waits for a signal. */
export async function patient(): Promise<void> {
  let isGo = false;
  setHandler(go, () => {
    isGo = true;
  });
  await condition(() => isGo);
}
