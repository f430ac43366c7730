// On a real server: the execution of an activity has its text, its attempts and one end, and is a child of its workflow's.
import { ApplicationFailure } from '@temporalio/activity';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ExecutionEvent } from '../../src/event/events.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createPublisher } from '../../src/publish/publisher.ts';
import { publishActivity } from '../../src/temporal/worker/index.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { describeTemporal, useTemporal } from '../support/temporal.ts';
import { until } from '../support/wait.ts';
import { type RunningWorker, startWorker, uniqueId } from './rig.ts';

describeTemporal('an activity that publishes', () => {
  const temporal = useTemporal();
  let parts: { log: ReturnType<typeof createMemoryLog>; store: ReturnType<typeof createMemoryStore> };
  let worker: RunningWorker;
  let failures = 0;
  let isEndedEarly = false;
  let lastSignal: AbortSignal | undefined;
  /** What long work throws when its signal aborts. */
  let abortErrorOf: (reason: unknown) => unknown;
  const attempts: number[] = [];

  beforeEach(async () => {
    failures = 0;
    isEndedEarly = false;
    abortErrorOf = (reason) => reason;
    attempts.length = 0;
    parts = { log: createMemoryLog(), store: createMemoryStore() };
    const publisher = createPublisher(parts);
    const activities = {
      write: (id: string) =>
        publishActivity(publisher, { kind: 'agent', id, agentId: 'writer', action: 'write' }, async (run) => {
          attempts.push(run.attempt!);
          await run.text(`attempt ${run.attempt}: half, `);
          if (attempts.length <= failures) throw new Error('the pen broke');
          await run.text('and the rest');
          if (isEndedEarly && attempts.length === 1) {
            // The end is recorded, and then the worker fails before Temporal knows.
            await run.complete();
            throw new Error('the worker died');
          }
          return 'written';
        }),
      pick: (id: string) =>
        publishActivity(publisher, { kind: 'task', mode: 'STRUCTURED', id, taskId: 'pick' }, async (run) => {
          if (failures < 0) throw ApplicationFailure.nonRetryable('nothing to pick', 'Empty');
          await run.value({ picked: 1 });
          return { picked: 2 };
        }),
      work: (id: string) =>
        publishActivity(publisher, { kind: 'agent', id }, async (run, { signal }) => {
          lastSignal = signal;
          while (!signal.aborted) {
            await run.text('working ');
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          throw abortErrorOf(signal.reason);
        }),
    };
    worker = await startWorker(temporal, { activities, parts });
  });
  afterEach(async () => {
    await worker.stop();
    await parts.log.close();
  });

  async function launch(name: string, args: unknown[]) {
    const handle = await temporal.client.workflow.start(name, {
      taskQueue: worker.taskQueue,
      workflowId: uniqueId(name),
      args,
    });
    return handle;
  }

  async function events(id: string): Promise<readonly ExecutionEvent[]> {
    return (await parts.log.read(id, 0, 1_000))?.events ?? [];
  }

  /** The text as a viewer reduces it. */
  function textOf(all: readonly ExecutionEvent[]): string {
    return all.reduce((text, { type, data }) => {
      if (type === 'reset') return '';
      return type === 'llm_chunk' ? text + (data as { content: string }).content : text;
    }, '');
  }

  test('an activity ends with its text or its value, and its row is a child of the workflow’s', async () => {
    const ids = { agent: uniqueId('agent'), task: uniqueId('task') };
    const handle = await launch('children', [ids]);
    expect(await handle.result()).toEqual({ text: 'written', value: { picked: 2 } });
    const agent = await events(ids.agent);
    expect(agent[0]).toMatchObject({ type: 'agent_start', data: { agentId: 'writer', action: 'write' } });
    expect(agent.at(-1)).toMatchObject({
      type: 'complete',
      data: { result: 'attempt 1: half, and the rest' },
    });
    expect((await events(ids.task)).at(-1)).toMatchObject({
      type: 'complete',
      data: { result: { picked: 2 } },
    });
    const pages = await parts.store.childrenOf([handle.workflowId], { first: 10 });
    const children = pages.get(handle.workflowId)!.executions;
    expect(children.map(({ id }) => id).sort()).toEqual([ids.agent, ids.task].sort());
    const runId = handle.firstExecutionRunId;
    expect(children[0]).toMatchObject({
      workflowId: handle.workflowId,
      runId,
      attempt: 1,
      status: 'SUCCESS',
    });
    const own = await until(async () => {
      const all = await events(handle.workflowId);
      return all.at(-1)?.type === 'complete' && all;
    });
    expect(own.map(({ type }) => type)).toEqual([
      'workflow_start',
      'agent_start',
      'agent_status',
      'task_start',
      'task_status',
      'complete',
    ]);
    expect(own[1]!.data).toEqual({ agentId: 'writer', executionId: ids.agent });
  });

  test('an activity that fails twice after half of its text leaves a viewer with the right text', async () => {
    failures = 2;
    const ids = { agent: uniqueId('agent'), task: uniqueId('task') };
    const handle = await launch('children', [ids]);
    await handle.result();
    expect(attempts).toEqual([1, 2, 3]);
    const all = await events(ids.agent);
    expect(textOf(all)).toBe('attempt 3: half, and the rest');
    expect(
      all.filter(({ type }) => type !== 'llm_chunk').map(({ type, attempt }) => `${type} ${attempt}`),
    ).toEqual([
      'agent_start 1',
      'warning 1',
      'reset 2',
      'agent_start 2',
      'warning 2',
      'reset 3',
      'agent_start 3',
      'complete 3',
    ]);
    expect(all.find(({ type }) => type === 'warning')!.data).toEqual({
      code: 'ATTEMPT_FAILED',
      message: 'the pen broke',
    });
  });

  test('an activity ends with error at its last attempt, and at a failure that is not retryable', async () => {
    failures = 3;
    const ids = { agent: uniqueId('agent'), task: uniqueId('task') };
    await expect((await launch('children', [ids])).result()).rejects.toThrow();
    expect((await events(ids.agent)).at(-1)).toMatchObject({
      type: 'error',
      attempt: 3,
      data: { status: 'FAILED', message: 'the pen broke' },
    });
    attempts.length = 0;
    failures = -1;
    const others = { agent: uniqueId('agent'), task: uniqueId('task') };
    await expect((await launch('children', [others])).result()).rejects.toThrow();
    expect((await events(others.task)).at(-1)).toMatchObject({
      type: 'error',
      attempt: 1,
      data: { status: 'FAILED', message: 'nothing to pick' },
    });
  });

  test('an activity that ended before Temporal knew of it runs again and publishes nothing', async () => {
    isEndedEarly = true;
    const ids = { agent: uniqueId('agent'), task: uniqueId('task') };
    expect(await (await launch('children', [ids])).result()).toMatchObject({ text: 'written' });
    expect(attempts).toEqual([1, 2]);
    const all = await events(ids.agent);
    expect(all.at(-1)).toMatchObject({ type: 'complete', attempt: 1 });
    expect(all.filter(({ type }) => type === 'complete')).toHaveLength(1);
  });

  test('an activity whose execution cannot begin does its work, and publishes nothing', async () => {
    const ids = { agent: uniqueId('agent'), task: uniqueId('task') };
    await parts.store.begin({ id: ids.agent, kind: 'agent', mode: 'TEXT', tenant: 'another' });
    expect(await (await launch('children', [ids])).result()).toMatchObject({ text: 'written' });
    expect(attempts).toEqual([1]);
    expect(await events(ids.agent)).toEqual([]);
  });

  /** The error of OpenAI's and Anthropic's SDKs, which has no name. */
  class APIUserAbortError extends Error {}

  test.each<[string, boolean, typeof abortErrorOf]>([
    ['waits for it', true, (reason) => reason],
    ['does not wait for it', false, (reason) => reason],
    ['waits for it, while a model is streaming', true, () => new APIUserAbortError('Request was aborted.')],
    [
      'waits for it, while the AI SDK is streaming',
      true,
      (cause) => new Error('a failed request', { cause }),
    ],
  ])(
    'an activity is cancelled with a workflow that %s: heartbeats report it, and the stream ends',
    async (_, isWaitedFor, errorOf) => {
      abortErrorOf = errorOf;
      const id = uniqueId('work');
      const handle = await launch('longWork', [id, isWaitedFor]);
      await until(async () => (await events(id)).some(({ type }) => type === 'llm_chunk'));
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow();
      const end = await until(async () => {
        const last = (await events(id)).at(-1);
        return last?.type === 'error' && last;
      });
      expect(end.data).toMatchObject({ status: 'CANCELED' });
      expect(lastSignal?.aborted).toBe(true);
    },
  );

  test('an activity stops when another attempt takes over its execution', async () => {
    const id = uniqueId('work');
    const handle = await launch('longWork', [id, false]);
    await until(async () => (await events(id)).some(({ type }) => type === 'llm_chunk'));
    const signal = lastSignal!;
    await parts.store.begin({ id, kind: 'agent', mode: 'TEXT', attempt: 9 });
    await parts.log.open(id, { numbering: 'auto', publisher: 'other', attempt: 9 });
    const head = (await parts.log.head(id))!;
    expect(head.attempt).toBe(9);
    await until(() => signal.aborted, { timeoutMs: 15_000, what: 'the work to stop' });
    await handle.terminate();
  });
});
