// The sink without Temporal: what it leaves to the relay, and that nothing it meets reaches the workflow.
import type { WorkflowInfo } from '@temporalio/workflow';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import type { SinkEvent, WorkflowEvent } from '../../src/temporal/shared/stream-query.ts';
import { createWorkerSinks, type SinkOptions, type WorkerSinks } from '../../src/temporal/worker/sinks.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { until } from '../support/wait.ts';

const ID = 'digest-1';
let log: ReturnType<typeof createMemoryLog>;
let store: ReturnType<typeof createMemoryStore>;
const made: WorkerSinks[] = [];

beforeEach(() => {
  log = createMemoryLog();
  store = createMemoryStore();
});
afterEach(async () => {
  await Promise.all(made.splice(0).map((sinks) => sinks.close()));
  await log.close();
});

/** A worker's sink: says steps as a workflow of this run does. */
function sink(options: Partial<SinkOptions> = {}) {
  const append = sinkOf(options);
  return (seq: number, step: string, run = {}) => {
    const data = { status: 'RUNNING', step } as const;
    append({ seq, type: 'workflow_status', ts: '2026-01-01T00:00:00.000Z', data }, run);
  };
}

/** A worker's sink, given events as they are. */
function sinkOf(options: Partial<SinkOptions> = {}) {
  const sinks = createWorkerSinks({ log, store, closeMs: 50, ...options });
  made.push(sinks);
  return (event: WorkflowEvent, { runId = 'r1', startedAt = 0, attempt = 1 } = {}) => {
    const info = {
      namespace: 'default',
      workflowId: ID,
      runId,
      workflowType: 'digest',
      firstExecutionRunId: 'r1',
      attempt,
      runStartTime: new Date(startedAt),
    } as WorkflowInfo;
    const answer: unknown = sinks.sinks.execstream.append.fn(info, {
      executionId: ID,
      epoch: runId,
      event,
    } satisfies SinkEvent);
    // Temporal awaits what a sink returns before it completes the workflow task.
    expect(answer).toBeUndefined();
  };
}

async function steps(): Promise<string[]> {
  const events = (await log.read(ID, 0, 10_000))?.events ?? [];
  return events.map(({ data }) => (data as { step: string }).step);
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 100));

test('events of one workflow task go in one append', async () => {
  let appends = 0;
  const say = sink({
    log: {
      ...log,
      append: (...request) => {
        appends += 1;
        return log.append(...request);
      },
    },
  });
  for (let seq = 1; seq <= 50; seq += 1) say(seq, `${seq}`);
  await until(async () => (await steps()).length === 50);
  expect(appends).toBe(1);
  expect(await store.get(ID)).toMatchObject({ workflowId: ID, runId: 'r1', attempt: 1, status: 'RUNNING' });
});

test('a task that is run again takes the place of what it said before, as long as that waits', async () => {
  store.isAway = true;
  const say = sink();
  say(1, 'a');
  say(2, 'b');
  await settled();
  say(2, 'c');
  say(3, 'd');
  store.isAway = false;
  await until(async () => (await steps()).length === 3);
  expect(await steps()).toEqual(['a', 'c', 'd']);
});

test('what contradicts the log is left out, until the relay has begun another epoch', async () => {
  const say = sink();
  say(1, 'a');
  say(2, 'b');
  await until(async () => (await steps()).length === 2);
  say(2, 'B');
  say(3, 'c');
  await settled();
  expect(await steps()).toEqual(['a', 'b']);
  const { epoch } = (await log.head(ID))!;
  // The relay: the query says a, B, c.
  await log.open(ID, {
    numbering: 'fixed',
    attempt: 1,
    lost: { epoch, acknowledged: Number.POSITIVE_INFINITY },
  });
  const opened = (await log.head(ID))!;
  const event = (seq: number, step: string) =>
    ({
      seq,
      type: 'workflow_status',
      ts: '2026-01-01T00:00:00.000Z',
      data: { status: 'RUNNING', step },
    }) as const;
  const events = [event(1, 'a'), event(2, 'B'), event(3, 'c')];
  await log.append(ID, { epoch: opened.epoch, acknowledged: 0, fence: 1, events });
  say(4, 'd');
  await until(async () => (await steps()).length === 4);
  expect(await steps()).toEqual(['a', 'B', 'c', 'd']);
});

test('events behind a hole wait a moment for another worker to fill it, then are left', async () => {
  const [here, there] = [sink(), sink()];
  here(1, 'a');
  await until(async () => (await steps()).length === 1);
  there(3, 'c');
  await settled();
  here(2, 'b');
  await until(async () => (await steps()).length === 3);
  expect(await steps()).toEqual(['a', 'b', 'c']);
  here(9, 'i');
  await until(async () => (await log.head(ID))?.head === 3);
});

test('a log that is away is caught up with, in order', async () => {
  let isAway = true;
  const say = sink({
    log: {
      ...log,
      append: async (...request) => {
        if (isAway) throw new ExecstreamError('SOURCE_UNAVAILABLE', 'away');
        return log.append(...request);
      },
    },
  });
  say(1, 'a');
  await settled();
  say(2, 'b');
  isAway = false;
  await until(async () => (await steps()).length === 2);
  expect(await steps()).toEqual(['a', 'b']);
});

test('above its bound all that waits is dropped, and said once', async () => {
  const warnings: string[] = [];
  const say = sink({
    queueBytes: 10_000,
    log: { ...log, append: () => new Promise(() => {}) },
    logger: { info: () => {}, warn: (_, message) => warnings.push(message), error: () => {} },
  });
  for (let seq = 1; seq <= 15; seq += 1) say(seq, 'x'.repeat(1_000));
  expect(warnings).toEqual([
    'the log is slower than the workflows: dropped queued events; the server reads them by the query',
  ]);
});

test('a log that was lost in the middle is not begun from there', async () => {
  const say = sink();
  say(7, 'g');
  await settled();
  expect(await log.head(ID)).toBeUndefined();
});

test('a row that a killed worker did not get to make is made with the next event, and lets viewers in', async () => {
  const say = sink({ tenantOf: () => 'mill' });
  say(7, 'g');
  const row = await until(() => store.get(ID));
  expect(row).toMatchObject({ kind: 'workflow', tenant: 'mill', workflowId: ID, runId: 'r1', attempt: 1 });
  // Once: what is asked for each event costs a workflow whose log was lost.
  const begin = vi.spyOn(store, 'begin');
  say(8, 'h');
  await settled();
  expect(begin).not.toHaveBeenCalled();
});

test('and with its end, where that is all that is left to be said', async () => {
  const closed = { workflowExecutionCompletedEventAttributes: {} };
  const service = () => ({
    getWorkflowExecutionHistory: async () => ({ history: { events: [closed] } }),
  });
  const append = sinkOf({ tenantOf: () => 'mill', service });
  const data = { status: 'SUCCESS', result: 'done', durationMs: 5 } as const;
  append({ seq: 9, type: 'complete', ts: '2026-01-01T00:00:00.000Z', data });
  await until(async () => (await store.get(ID))?.finishedAt);
  // Its end stands in no log yet: that is the relay's, which has the whole of it.
  expect(await store.get(ID)).toMatchObject({ tenant: 'mill', status: 'SUCCESS', result: 'done' });
  expect((await store.get(ID))!.end).toBeUndefined();
});

test('another run begins a new epoch with its first event, and an older one does not get the log back', async () => {
  const say = sink();
  say(1, 'a');
  await until(async () => (await steps()).length === 1);
  const { epoch } = (await log.head(ID))!;
  say(1, 'A', { runId: 'r2', startedAt: 5, attempt: 2 });
  await until(async () => (await steps())[0] === 'A');
  expect((await log.head(ID))!.epoch).not.toBe(epoch);
  expect(await store.get(ID)).toMatchObject({ attempt: 2 });
  sink()(1, 'a');
  sink()(2, 'b', { runId: 'r3', startedAt: 9 });
  await settled();
  expect(await steps()).toEqual(['A']);
});

test('a log that a publisher writes, or that has ended, is left alone', async () => {
  await log.open(ID, { numbering: 'auto', publisher: 'p', attempt: 1 });
  sink()(1, 'a');
  await settled();
  expect(await steps()).toEqual([]);
});
