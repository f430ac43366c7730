// The source with a fake Temporal client: executions that are not workflows, and workflows that Temporal forgot.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createEndReconciler } from '../../../src/source/end-reconciler.ts';
import { createRowSource } from '../../../src/source/row-source.ts';
import type { HistoryEvent } from '../../../src/temporal/shared/history-event.ts';
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import { createTemporalSource } from '../../../src/temporal/source/source.ts';
import type { TemporalClient, WorkflowRun } from '../../../src/temporal/source/temporal-client.ts';
import { audience } from '../../source/audience.ts';
import { content } from '../../support/content.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { until } from '../../support/wait.ts';
import { failWith, fakeClient } from './fake-client.ts';
import { RUN } from './history-samples.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** The events of a history, and then none until the request is aborted. */
function historyOf(events: readonly HistoryEvent[]): TemporalClient['history'] {
  return async ({ from }, signal) => {
    if (!from) return { events, next: new Uint8Array([1]) };
    await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    throw new TemporalError('unavailable', 'aborted');
  };
}

function setUp(temporal: TemporalClient, deletedMs = 3_000) {
  const log = createMemoryLog();
  const store = createMemoryStore();
  const otherwise = createRowSource({ log, store, content });
  const times = { deletedMs, leaseMs: 300, standbyMs: 40, retryMs: { firstMs: 20, maxMs: 50 } };
  const logged: object[] = [];
  const logger = { error: () => {}, warn: (fields: object) => void logged.push(fields) };
  const { reconcileEnd } = createEndReconciler({ log, store, content, graceMs: 0 });
  const source = createTemporalSource({ temporal, log, store, otherwise, reconcileEnd, logger, ...times });
  const viewers = audience(50);
  const follow = (id: string) => void stops.push(source.follow(id, viewers));
  const types = async (id: string) => ((await log.read(id, 0, 100))?.events ?? []).map(({ type }) => type);
  return { log, store, source, viewers, follow, types, logged };
}

test('a row that is not a Temporal workflow is left to the row source', async () => {
  const { store, follow, types, source } = setUp(fakeClient({}));
  const row = await store.begin({ id: 'a', kind: 'workflow', mode: 'STRUCTURED' });
  expect(source.decidesEnd(row)).toBe(false);
  follow('a');
  await until(async () => (await types('a')).includes('workflow_start'));
});

test('the end comes from the row if Temporal’s retention period is over', async () => {
  const { store, follow, types } = setUp(fakeClient({ describe: failWith('unknown-workflow') }));
  await store.begin({ id: 'a', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1' });
  await store.finish('a', 1, { status: 'SUCCESS', result: 1 });
  follow('a');
  await until(async () => (await types('a')).at(-1) === 'complete');
  await until(async () => (await store.get('a'))?.end);
});

test('an open row whose workflow Temporal does not know has an active warning, and no end yet', async () => {
  const { store, follow, viewers, types } = setUp(fakeClient({ describe: failWith('unknown-workflow') }));
  await store.begin({ id: 'a', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1' });
  follow('a');
  await until(() => viewers.activeWarning === 'WORKFLOW_UNKNOWN');
  await sleep(100);
  expect(viewers.warnings).toEqual(['WORKFLOW_UNKNOWN']);
  expect(await types('a')).toEqual([]);
});

test('an execution ends once Temporal has not known its workflow for a while', async () => {
  const { log, store, follow, types } = setUp(fakeClient({ describe: failWith('unknown-workflow') }), 100);
  await store.begin({ id: 'a', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1' });
  follow('a');
  const row = await until(async () => {
    const now = await store.get('a');
    return now?.end && now;
  });
  expect(row).toMatchObject({ status: 'TERMINATED', error: { code: 'WORKFLOW_GONE' } });
  expect(await types('a')).toEqual(['error']);
  expect((await log.read('a', 0, 1))?.events[0]?.data).toMatchObject({ code: 'WORKFLOW_GONE' });
});

test('an outage between two such responses is no confirmation', async () => {
  let calls = 0;
  const flaky = async () => (calls++ % 2 === 0 ? failWith('unknown-workflow')() : failWith('unavailable')());
  const { store, follow } = setUp(fakeClient({ describe: flaky }), 100);
  await store.begin({ id: 'a', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1' });
  follow('a');
  await until(() => calls >= 12);
  expect((await store.get('a'))?.status).toBe('RUNNING');
});

test('a row that was inserted before its workflow started does not end', async () => {
  const { store, follow, viewers } = setUp(fakeClient({ describe: failWith('unknown-workflow') }), 50);
  await store.begin({ id: 'a', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w' });
  follow('a');
  await until(() => viewers.activeWarning === 'WORKFLOW_UNKNOWN');
  await sleep(200);
  expect((await store.get('a'))?.status).toBe('RUNNING');
});

test('a workflow that a publisher shows does not end because Temporal does not know it', async () => {
  const { log, store, follow, viewers } = setUp(fakeClient({ describe: failWith('unknown-workflow') }), 50);
  const workflow = { kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1' } as const;
  await store.begin({ ...workflow, id: 'a', expectsHeartbeats: true });
  await store.begin({ ...workflow, id: 'b' });
  await log.open('b', { numbering: 'auto', publisher: 'p', attempt: 1 });
  follow('a');
  follow('b');
  await until(() => viewers.warnings.length === 2);
  await sleep(200);
  for (const id of ['a', 'b']) expect((await store.get(id))?.status).toBe('RUNNING');
});

test('the row is returned as it is while Temporal is unavailable', async () => {
  const { store, source } = setUp(fakeClient({}));
  const row = await store.begin({
    ...{ id: 'a', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1' },
  });
  expect(await source.latest(row, 'state')).toBe(row);
  expect(await source.latest(row, 'stream')).toBe(row);
});

test('a row is not replaced before the end of its run is recorded', async () => {
  const next = { ...RUN, runId: 'r2', firstRunId: 'r2', startedAt: 9_000 };
  const { store, source } = setUp(
    fakeClient({ describe: async ({ runId }) => (runId === 'r1' ? { ...RUN, isOpen: false } : next) }),
  );
  const started = { startedAt: new Date(1_000), attempt: 1 };
  const row = await store.begin({
    ...{ id: 'a', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1', ...started },
  });
  // Its history cannot be read, so that its viewers do not have its end.
  expect(await source.latest(row, 'stream')).toMatchObject({ runId: 'r1', status: 'RUNNING' });
  await store.finish('a', 1, { status: 'SUCCESS' });
  expect(await source.latest((await store.get('a'))!, 'stream')).toMatchObject({
    ...{ runId: 'r2', status: 'RUNNING', startedAt: new Date(9_000) },
  });
});

test('credentials that Temporal rejects are a warning, and the stream continues when they are fixed', async () => {
  let isDenied = true;
  const { store, follow, viewers, types } = setUp(
    fakeClient({
      describe: async () => (isDenied ? failWith('denied')() : RUN),
      history: historyOf([]),
      query: async () => ({
        events: [{ id: 1, type: 'status', data: { status: 'RUNNING' } }],
        status: 'RUNNING',
      }),
    }),
  );
  await store.begin({ id: 'a', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1' });
  follow('a');
  await until(() => viewers.activeWarning === 'SOURCE_UNAVAILABLE');
  isDenied = false;
  await until(async () => (await types('a')).join() === 'workflow_status');
  await until(() => viewers.activeWarning === undefined);
});

test('a result that cannot be decoded is a warning and one line of the log, and the history is shown', async () => {
  const signal = { eventId: 5, workflowExecutionSignaledEventAttributes: { signalName: 'go' } };
  const events = [{ eventId: 1, workflowExecutionStartedEventAttributes: {} }, signal];
  let queries = 0;
  const { store, follow, viewers, types, logged } = setUp(
    fakeClient({
      describe: async () => RUN,
      history: historyOf(events as never),
      query: async () => {
        queries += 1;
        throw new TemporalError('undecodable', 'Unknown encoding: binary/encrypted');
      },
    }),
  );
  await store.begin({ id: 'a', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1' });
  follow('a');
  await until(async () => (await types('a')).join() === 'workflow_start,workflow_status');
  await until(() => queries === 3 && viewers.activeWarning === undefined);
  await until(() => viewers.warnings.filter((code) => code === 'UNDECODABLE').length === 2);
  expect(logged).toEqual([
    { executionId: 'a', code: 'UNDECODABLE', reported: 'Unknown encoding: binary/encrypted' },
  ]);
});

test('a full query buffer is waited for, without a warning', async () => {
  let queries = 0;
  const { store, follow, viewers, types, logged } = setUp(
    fakeClient({
      describe: async () => RUN,
      history: historyOf([]),
      query: async () => {
        queries += 1;
        if (queries < 4) throw new TemporalError('busy', 'consistent query buffer is full');
        return { events: [{ id: 1, type: 'status', data: { status: 'RUNNING' } }], status: 'RUNNING' };
      },
    }),
  );
  await store.begin({ id: 'a', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1' });
  follow('a');
  await until(async () => (await types('a')).join() === 'workflow_status', { timeoutMs: 5_000 });
  expect([viewers.warnings, logged]).toEqual([[], []]);
});

test('the log of a publisher is left to it, and the end of the workflow ends the row', async () => {
  const closed = {
    eventId: 9 as never,
    eventTime: { seconds: 5 as never, nanos: 0 },
    workflowExecutionTerminatedEventAttributes: { reason: 'enough' },
  };
  const { log, store, follow, types } = setUp(
    fakeClient({ describe: async () => RUN, history: historyOf([closed]), query: failWith('no-worker') }),
  );
  await store.begin({ id: 'a', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1' });
  await log.open('a', { numbering: 'auto', publisher: 'p', attempt: 1 });
  follow('a');
  await until(async () => (await store.get('a'))?.status === 'TERMINATED', { timeoutMs: 10_000 });
  expect(await types('a')).toEqual([]);
});

test('a later workflow with the same id is not watched', async () => {
  const runs: Record<string, WorkflowRun> = {
    r1: { ...RUN, isOpen: false },
    other: { ...RUN, runId: 'other', firstRunId: 'other', startedAt: 9_000 },
  };
  const done = {
    eventId: 5 as never,
    eventTime: { seconds: 2 as never, nanos: 0 },
    workflowExecutionCompletedEventAttributes: {},
  };
  const readRuns: (string | undefined)[] = [];
  const { store, follow, types } = setUp(
    fakeClient({
      describe: async ({ runId }) => runs[runId ?? 'other']!,
      history: async ({ run }) => {
        readRuns.push(run.runId);
        return { events: [done], next: undefined };
      },
      query: failWith('no-query'),
    }),
  );
  await store.begin({ id: 'a', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1' });
  follow('a');
  await until(async () => (await store.get('a'))?.end);
  expect(await types('a')).toEqual(['complete']);
  expect(new Set(readRuns)).toEqual(new Set(['r1']));
});
