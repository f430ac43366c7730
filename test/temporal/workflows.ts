// The workflows under test, as users write them.
import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import { createStreamState, streamed } from '../../src/temporal/workflow/index.ts';
import type * as activities from './activities.ts';

const { write, pick, work } = proxyActivities<typeof activities>({
  startToCloseTimeout: '30 s',
  heartbeatTimeout: '2 s',
  retry: { initialInterval: '50 ms', maximumAttempts: 3 },
});

const { work: workToTheEnd } = proxyActivities<typeof activities>({
  startToCloseTimeout: '30 s',
  heartbeatTimeout: '2 s',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

export const go = defineSignal('go');

/** Every kind of event, in one workflow. */
export const everything = streamed(async function everything(stream, topic: string) {
  stream.status('RUNNING', `reading ${topic}`);
  stream.toolCall({ toolCallId: 't1', toolName: 'search', status: 'started', args: { topic } });
  await sleep(10);
  stream.toolCall({
    toolCallId: 't1',
    toolName: 'search',
    status: 'succeeded',
    result: ['é'],
    durationMs: 10,
  });
  stream.warning('SLOW', 'this takes a while');
  await stream.child({ kind: 'agent', agentId: 'writer', action: 'write', executionId: 'w1' }, () =>
    sleep(1),
  );
  await stream
    .child({ kind: 'task', taskId: 'check', executionId: 'c1' }, async () => {
      throw new Error('no');
    })
    .catch(() => {});
  stream.usage({ inputTokens: 1, outputTokens: 2, totalTokens: 3 });
  return { topic };
});

/** Emits events whose fields are not in the order of the documentation, and returns after the signal `go`. */
export const unordered = streamed(async function unordered(stream) {
  let isGo = false;
  setHandler(go, () => {
    isGo = true;
  });
  stream.toolCall({ args: { b: 1, a: 2 }, status: 'started', toolName: 'search', toolCallId: 't1' });
  stream.emit('workflow_status', {
    step: 's',
    usage: { totalTokens: 3, inputTokens: 1, outputTokens: 2 },
    status: 'RUNNING',
  });
  stream.emit('agent_start', { executionId: 'e1', agentId: 'a' });
  await condition(() => isGo);
});

/** Emits this many steps of this size, and returns after the signal `go`. */
export const steps = streamed(
  async function steps(stream, count: number, bytes: number) {
    let isGo = false;
    setHandler(go, () => {
      isGo = true;
    });
    for (let i = 1; i <= count; i += 1) stream.status('RUNNING', `${i} ${'x'.repeat(bytes)}`);
    await condition(() => isGo);
    return 'gone';
  },
  { maxEvents: 100, maxBytes: 600 * 1024 },
);

/** Emits a step at each signal. */
export const onSignal = streamed(async function onSignal(stream, until: number) {
  let seen = 0;
  setHandler(go, () => {
    seen += 1;
    stream.status('RUNNING', `signal ${seen}`);
  });
  await condition(() => seen >= until);
  return seen;
});

/** Continues through this many runs, with three events each. */
export const laps = streamed(
  async function laps(stream, left: number): Promise<string> {
    for (const step of ['a', 'b', 'c']) stream.status('RUNNING', `${left}${step}`);
    if (left > 1) await stream.continueAsNew<typeof laps>(left - 1);
    return 'home';
  },
  { carry: { maxEvents: 2 } },
);

/** Creates ids of children in two workflow tasks of each run. */
export const brood = streamed(async function brood(
  stream,
  runs: number,
  before: string[] = [],
): Promise<string[]> {
  const id = () => stream.childId('task', 'egg');
  const ids = [...before, id(), id()];
  await sleep(1);
  ids.push(id());
  if (runs > 1) await stream.continueAsNew<typeof brood>(runs - 1, ids);
  return ids;
});

/** Continues as new without carrying anything over: another stream starts. */
export async function forgetful(left: number): Promise<void> {
  const stream = createStreamState();
  stream.status('RUNNING', `${left}`);
  if (left > 1) await continueAsNew<typeof forgetful>(left - 1);
  stream.complete();
}

export const failing = streamed(async function failing(_, kind: 'failure' | 'cause' | 'retried') {
  const failure = ApplicationFailure.create({
    message: 'out of ink',
    type: 'InkError',
    nonRetryable: kind !== 'retried',
  });
  if (kind === 'cause')
    throw ApplicationFailure.create({ message: 'outer', cause: failure, nonRetryable: true });
  throw failure;
});

/** Waits to be cancelled, and rethrows the cancellation or completes. */
export const cancellable = streamed(async function cancellable(stream, isStubborn: boolean) {
  stream.status('WAITING');
  try {
    await sleep('1 hour');
  } catch (error) {
    if (!isStubborn || !isCancellation(error)) throw error;
  }
  return 'stayed';
});

/** Emits invalid events, which become warnings. */
export const careless = streamed(async function careless(stream) {
  stream.status('RUNNING', 'x'.repeat(70_000));
  stream.toolCall({ toolCallId: 'b', toolName: 'big', status: 'succeeded', result: 1n as never });
  stream.emit('llm_chunk' as never, { content: 'x' } as never);
  stream.usage({ inputTokens: -1 });
  return 'x'.repeat(70_000);
});

/** Emits results of different sizes, and returns a large one after the signal `go`. */
export const large = streamed(async function large(stream) {
  let isGo = false;
  setHandler(go, () => {
    isGo = true;
  });
  for (const bytes of [10, 30_000, 50_000, 100_000]) {
    const result = 'x'.repeat(bytes);
    stream.toolCall({ toolCallId: `${bytes}`, toolName: 'read', status: 'succeeded', result });
    await sleep(1);
  }
  stream.status('RUNNING', 'y'.repeat(40_000));
  stream.status('WAITING');
  await condition(() => isGo);
  return 'x'.repeat(100_000);
});

/** An agent that writes text and a task that creates a value, each an activity with its own stream. */
export const children = streamed(async function children(stream, ids: { agent: string; task: string }) {
  const text = await stream.child({ kind: 'agent', agentId: 'writer', executionId: ids.agent }, (id) =>
    write(id),
  );
  const value = await stream.child({ kind: 'task', taskId: 'pick', executionId: ids.task }, (id) => pick(id));
  return { text, value };
});

/** A long activity, which is cancelled with its workflow; the workflow waits for it or not. */
export const longWork = streamed(async function longWork(stream, id: string, isWaitedFor: boolean) {
  const run = isWaitedFor ? workToTheEnd : work;
  await stream.child({ kind: 'agent', agentId: 'worker', executionId: id }, () => run(id));
});

/** Computes for a while in one workflow task and returns; a signal in the meantime makes Temporal retry the task. */
export const hasty = streamed(async function hasty(stream) {
  let seen = 0;
  setHandler(go, () => {
    seen += 1;
  });
  await sleep(1);
  if (seen > 0) {
    stream.status('RUNNING', 'a signal came after all');
    return seen;
  }
  for (let i = 0, x = 1; i < 400_000_000; i += 1) x = (x * 31 + i) | 0;
  return 'hasty';
});

/** Its execution has another id than the workflow. */
export const renamed = streamed(async (stream, _id: string) => stream.executionId, {
  executionId: 'renamed-1',
});

/** Its execution, and that of its parent, have other ids than their workflows. */
export const prefixed = streamed(async (stream, go: number) => `${stream.executionId} ${go}`, {
  executionId: (workflowId) => `billing:${workflowId}`,
});

/** Does not stream; for measuring the cost of a stream. */
export async function plain(): Promise<void> {
  await sleep(1);
}
