// The sink without Temporal: which events it leaves to the server, and that no failure reaches the workflow.
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
const created: WorkerSinks[] = [];

beforeEach(() => {
  log = createMemoryLog();
  store = createMemoryStore();
});
afterEach(async () => {
  await Promise.all(created.splice(0).map((sinks) => sinks.close()));
  await log.close();
});

/** A worker's sink; the returned function emits a step, as a workflow of this run would. */
function sink(options: Partial<SinkOptions> = {}) {
  const append = sinkOf(options);
  return (seq: number, step: string, run = {}) => {
    const data = { status: 'RUNNING', step } as const;
    append({ seq, type: 'workflow_status', ts: '2026-01-01T00:00:00.000Z', data }, run);
  };
}

/** A worker's sink; the returned function emits an event. */
function sinkOf(options: Partial<SinkOptions> = {}) {
  const sinks = createWorkerSinks({ log, store, closeMs: 50, ...options });
  created.push(sinks);
  return (event: WorkflowEvent, { runId = 'r1', startedAt = 0, attempt = 1 } = {}) => {
    const info = {
      namespace: 'default',
      workflowId: ID,
      runId,
      workflowType: 'digest',
      firstExecutionRunId: 'r1',
      attempt,
      startTime: new Date(0),
      runStartTime: new Date(startedAt),
    } as WorkflowInfo;
    const returned: unknown = sinks.sinks.execstream.append.fn(info, {
      executionId: ID,
      epoch: runId,
      event,
    } satisfies SinkEvent);
    // Temporal awaits what a sink returns before it completes the workflow task.
    expect(returned).toBeUndefined();
  };
}

async function steps(): Promise<string[]> {
  const events = (await log.read(ID, 0, 10_000))?.events ?? [];
  return events.map(({ data }) => (data as { step: string }).step);
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 100));

test('the events of one workflow task are one append', async () => {
  let appends = 0;
  const emit = sink({
    log: {
      ...log,
      append: (...request) => {
        appends += 1;
        return log.append(...request);
      },
    },
  });
  for (let seq = 1; seq <= 50; seq += 1) emit(seq, `${seq}`);
  await until(async () => (await steps()).length === 50);
  expect(appends).toBe(1);
  expect(await store.get(ID)).toMatchObject({ workflowId: ID, runId: 'r1', attempt: 1, status: 'RUNNING' });
});

test('a retried task replaces the events of the failed one while they are queued', async () => {
  store.isAway = true;
  const emit = sink();
  emit(1, 'a');
  emit(2, 'b');
  await settle();
  emit(2, 'c');
  emit(3, 'd');
  store.isAway = false;
  await until(async () => (await steps()).length === 3);
  expect(await steps()).toEqual(['a', 'c', 'd']);
});

test('events that contradict the log are not appended until the server has started another epoch', async () => {
  const emit = sink();
  emit(1, 'a');
  emit(2, 'b');
  await until(async () => (await steps()).length === 2);
  emit(2, 'B');
  emit(3, 'c');
  await settle();
  expect(await steps()).toEqual(['a', 'b']);
  const { epoch } = (await log.head(ID))!;
  // As the server does: the query returns a, B, c.
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
  emit(4, 'd');
  await until(async () => (await steps()).length === 4);
  expect(await steps()).toEqual(['a', 'B', 'c', 'd']);
});

test('events after a gap wait for another worker to fill it, and are then dropped', async () => {
  const [here, there] = [sink(), sink()];
  here(1, 'a');
  await until(async () => (await steps()).length === 1);
  there(3, 'c');
  await settle();
  here(2, 'b');
  await until(async () => (await steps()).length === 3);
  expect(await steps()).toEqual(['a', 'b', 'c']);
  here(9, 'i');
  await until(async () => (await log.head(ID))?.head === 3);
});

test('events are appended in order once an unavailable log is back', async () => {
  let isUnavailable = true;
  const emit = sink({
    log: {
      ...log,
      append: async (...request) => {
        if (isUnavailable) throw new ExecstreamError('SOURCE_UNAVAILABLE', 'unavailable');
        return log.append(...request);
      },
    },
  });
  emit(1, 'a');
  await settle();
  emit(2, 'b');
  isUnavailable = false;
  await until(async () => (await steps()).length === 2);
  expect(await steps()).toEqual(['a', 'b']);
});

test('above the size limit all queued events are dropped, with one warning', async () => {
  const warnings: string[] = [];
  const emit = sink({
    queueBytes: 10_000,
    log: { ...log, append: () => new Promise(() => {}) },
    logger: { info: () => {}, warn: (_, message) => warnings.push(message), error: () => {} },
  });
  for (let seq = 1; seq <= 15; seq += 1) emit(seq, 'x'.repeat(1_000));
  expect(warnings).toEqual([
    'the log is slower than the workflows: dropped queued events; the server reads them by the query',
  ]);
});

test('a log that was lost is not restarted in the middle', async () => {
  const emit = sink();
  emit(7, 'g');
  await settle();
  expect(await log.head(ID)).toBeUndefined();
});

test('a row that a killed worker did not create is created with the next event', async () => {
  const emit = sink({ tenantOf: () => 'mill' });
  emit(7, 'g');
  const row = await until(() => store.get(ID));
  expect(row).toMatchObject({ kind: 'workflow', tenant: 'mill', workflowId: ID, runId: 'r1', attempt: 1 });
  // Once, because a call per event would be expensive for a workflow whose log was lost.
  const begin = vi.spyOn(store, 'begin');
  emit(8, 'h');
  await settle();
  expect(begin).not.toHaveBeenCalled();
});

test('a row that a killed worker did not create is created with the end, if no other event follows', async () => {
  const closed = { workflowExecutionCompletedEventAttributes: {} };
  const service = () => ({
    getWorkflowExecutionHistory: async () => ({ history: { events: [closed] } }),
  });
  const append = sinkOf({ tenantOf: () => 'mill', service });
  const data = { status: 'SUCCESS', result: 'done', durationMs: 5 } as const;
  append({ seq: 9, type: 'complete', ts: '2026-01-01T00:00:00.000Z', data });
  await until(async () => (await store.get(ID))?.finishedAt);
  // The log does not have the end yet: the server appends it, after all events of the query.
  expect(await store.get(ID)).toMatchObject({ tenant: 'mill', status: 'SUCCESS', result: 'done' });
  expect((await store.get(ID))!.end).toBeUndefined();
});

test('a later run starts a new epoch with its first event, and an older one does not take the log back', async () => {
  const emit = sink();
  emit(1, 'a');
  await until(async () => (await steps()).length === 1);
  const { epoch } = (await log.head(ID))!;
  emit(1, 'A', { runId: 'r2', startedAt: 5, attempt: 2 });
  await until(async () => (await steps())[0] === 'A');
  expect((await log.head(ID))!.epoch).not.toBe(epoch);
  expect(await store.get(ID)).toMatchObject({ attempt: 2 });
  sink()(1, 'a');
  sink()(2, 'b', { runId: 'r3', startedAt: 9 });
  await settle();
  expect(await steps()).toEqual(['A']);
});

test('the log of a publisher is left alone', async () => {
  await log.open(ID, { numbering: 'auto', publisher: 'p', attempt: 1 });
  sink()(1, 'a');
  await settle();
  expect(await steps()).toEqual([]);
});
