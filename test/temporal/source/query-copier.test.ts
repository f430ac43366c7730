// Copying the pages of the query into the log, with a fake workflow.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEFAULT_SIZE_LIMITS } from '../../../src/event/size-limits.ts';
import { createMemoryLog } from '../../../src/log/memory.ts';
import type { HistoryEvent } from '../../../src/temporal/shared/history-event.ts';
import type { StreamPage, WorkflowEvent } from '../../../src/temporal/shared/stream-query.ts';
import { createFixedCopy } from '../../../src/temporal/source/fixed-copy.ts';
import { idsWithin } from '../../../src/temporal/source/namespace-ids.ts';
import { createQueryCopier } from '../../../src/temporal/source/query-copier.ts';
import { createQueryProgress } from '../../../src/temporal/source/query-progress.ts';
import { createRowStatus } from '../../../src/temporal/source/row-status.ts';
import type {
  QueryOptions,
  TemporalClient,
  WorkflowRun,
} from '../../../src/temporal/source/temporal-client.ts';
import {
  createActiveWarnings,
  DEFAULT_WATCH_TIMES,
  type WatchContext,
} from '../../../src/temporal/source/watch-context.ts';
import { createStreamUse } from '../../../src/temporal/source/workflow-streams/stream-use.ts';
import { audience } from '../../source/audience.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { RUN } from './history-samples.ts';

const TS = '2026-01-01T00:00:00.000Z';

function step(seq: number, name = `${seq}`): WorkflowEvent {
  return { seq, type: 'workflow_status', ts: TS, data: { status: 'RUNNING', step: name } };
}

function end(seq: number): WorkflowEvent {
  return { seq, type: 'complete', ts: TS, data: { status: 'SUCCESS', durationMs: 1 } };
}

let log: ReturnType<typeof createMemoryLog>;
let store: ReturnType<typeof createMemoryStore>;
/** The events that the workflow has emitted and not trimmed. */
let emitted: WorkflowEvent[];
let page: Partial<StreamPage>;
let queries: number[];
/** Happens while a query waits for its turn. */
let whileQueued: () => void | Promise<void>;
beforeEach(() => {
  whileQueued = () => {};
  log = createMemoryLog();
  store = createMemoryStore();
  emitted = [];
  page = {};
  queries = [];
});
afterEach(() => log.close());

function completedTask(eventId: number): HistoryEvent {
  return { eventId, workflowTaskCompletedEventAttributes: {} } as never;
}

/** A workflow that returns two events per page. */
const query: TemporalClient['query'] = async (run, since, _, options): Promise<StreamPage> => {
  queries.push(since);
  await whileQueued();
  options?.onSent?.();
  const base = (emitted[0]?.seq ?? 1) - 1;
  const next = (emitted.at(-1)?.seq ?? base) + 1;
  const events = emitted.filter(({ seq }) => seq > since).slice(0, 2);
  const { runId, firstRunId, attempt, workflowId: executionId } = run as WorkflowRun;
  return {
    ...{ epoch: 'r1', base, next, runId, firstRunId, executionId, attempt, status: 'RUNNING', events },
    ...page,
  };
};

function setUp(firstResult?: unknown) {
  const viewers = audience(50);
  const context: WatchContext = {
    ...{ temporal: { query } as TemporalClient, log, store, executionId: 'w', audience: viewers },
    ...{ warnings: createActiveWarnings(viewers), times: DEFAULT_WATCH_TIMES, decodePayload: undefined },
    sizes: DEFAULT_SIZE_LIMITS,
    copy: createFixedCopy({ log, executionId: 'w', fence: 1 }),
    beginChildren: async () => {},
    streamUse: createStreamUse(false),
    idsFrom: () => idsWithin('default'),
    signal: new AbortController().signal,
  };
  const progress = createQueryProgress({
    ...{ isOpen: true, historyLength: 3, hasResponded: false, isCloseOnly: false },
  });
  const rowStatus = createRowStatus(context);
  const copier = createQueryCopier(context, RUN, { progress, rowStatus, firstResult });
  return {
    ...context,
    progress,
    copyAll: (options?: QueryOptions) => copier.copyAll(context.signal, options),
  };
}

const lines = async () =>
  ((await log.read('w', 0, 100))?.events ?? []).map(
    ({ seq, type, data }) => `${seq} ${(data as { step?: string }).step ?? type}`,
  );

test('all pages are copied, from the last confirmed event on', async () => {
  const { copyAll, copy, progress } = setUp();
  emitted = [1, 2, 3, 4, 5].map((seq) => step(seq));
  expect(await copyAll()).toEqual({ end: undefined, lastSeq: 5 });
  expect(queries).toEqual([0, 2, 4]);
  expect(await lines()).toEqual(['1 1', '2 2', '3 3', '4 4', '5 5']);
  expect([copy.confirmed, progress.isBehind]).toEqual([5, false]);
  emitted.push(step(6));
  await copyAll();
  expect(queries).toEqual([0, 2, 4, 5]);
});

test('a result from before the watch does not cover the tasks that were completed after it', async () => {
  emitted = [step(1)];
  const known = await query(RUN, 0);
  queries = [];
  const { copyAll, progress } = setUp(known);
  emitted.push(step(2), end(3));
  progress.observe([completedTask(7)]);
  progress.close(true);
  expect(await copyAll()).toEqual({ end: undefined, lastSeq: 1 });
  expect([queries, progress.isBehind]).toEqual([[], true]);
  expect(await copyAll()).toEqual({ end: end(3), lastSeq: 2 });
  expect([queries, progress.isBehind]).toEqual([[1], false]);
  expect(await lines()).toEqual(['1 1', '2 2']);
});

test('a result from before the watch is enough for a history that has not grown', async () => {
  emitted = [step(1)];
  const { copyAll, progress } = setUp(await query(RUN, 0));
  progress.observe([completedTask(3)]);
  await copyAll();
  expect(progress.isBehind).toBe(false);
});

test('the terminal event is returned and not copied', async () => {
  const { copyAll } = setUp();
  emitted = [step(1), step(2), end(3)];
  expect(await copyAll()).toEqual({ end: end(3), lastSeq: 2 });
  expect(await lines()).toEqual(['1 1', '2 2']);
});

test('events that the run has trimmed are gaps, so that the log has every seq', async () => {
  const { copyAll } = setUp();
  emitted = [step(3), step(4)];
  await copyAll();
  expect(await lines()).toEqual(['1 gap', '2 gap', '3 3', '4 4']);
});

test('events that the workflow has trimmed and a sink has appended are not replaced by gaps', async () => {
  const { copyAll, copy } = setUp();
  emitted = [step(1)];
  await copyAll();
  await log.append('w', { epoch: copy.epoch, acknowledged: 0, events: [step(2), step(3)] });
  copy.recordHead(3);
  emitted = [step(3), step(4)];
  await copyAll();
  expect(await lines()).toEqual(['1 1', '2 2', '3 3', '4 4']);
  expect(queries).toEqual([0, 1]);
});

test('the log starts a new epoch, with all events, if the workflow contradicts it', async () => {
  const { copyAll, copy } = setUp();
  emitted = [step(1), step(2)];
  await copyAll();
  const { epoch } = copy;
  await log.append('w', { epoch, acknowledged: 0, events: [step(3, 'never was')] });
  emitted.push(step(3));
  expect(await copyAll()).toEqual({ end: undefined, lastSeq: 3 });
  expect(copy.epoch).not.toBe(epoch);
  expect(await lines()).toEqual(['1 1', '2 2', '3 3']);
});

test('the log of a publisher stops the watch', async () => {
  await log.open('w', { numbering: 'auto', publisher: 'p', attempt: 1 });
  expect(await setUp().copyAll()).toEqual({ stop: 'published' });
});

test('the row gets the status of the open workflow, once per change', async () => {
  const { copyAll } = setUp();
  await store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED' });
  emitted = [step(1)];
  page = { status: 'WAITING' };
  await copyAll();
  await copyAll();
  expect(await store.get('w')).toMatchObject({ status: 'WAITING', revision: 2 });
  page = { status: 'SUCCESS' };
  await copyAll();
  expect((await store.get('w'))?.status).toBe('WAITING');
});

test('a query that fails is thrown, and does not count as a response', async () => {
  const { copyAll, progress } = setUp();
  page = { events: [step(1), step(3)] };
  await expect(copyAll()).rejects.toThrow(
    'invalid result of the query: seq 3 does not follow the one before',
  );
  expect([progress.hasResponded, progress.isBehind]).toEqual([false, true]);
});

test('a log that has the start of the history is continued with one query', async () => {
  const { copyAll, copy } = setUp();
  await copy.enter({ epoch: 'history:r1', runId: 'r1', runStartedAt: RUN.startedAt, attempt: 1 });
  await copy.append([step(1)]);
  emitted = [step(1), step(2)];
  page = { runId: 'r1' };
  await copyAll();
  expect([queries, await lines()]).toEqual([[0], ['1 1', '2 2']]);
});

test('a result that was queried before takes the place of the first query', async () => {
  emitted = [step(1), step(2)];
  const first = await query(RUN, 0);
  queries = [];
  const { copyAll } = setUp(first);
  await copyAll();
  expect([queries, await lines()]).toEqual([[], ['1 1', '2 2']]);
  emitted.push(step(3));
  await copyAll();
  expect([queries, await lines()]).toEqual([[2], ['1 1', '2 2', '3 3']]);
});

test('a copy covers the tasks that were completed before its first query was sent', async () => {
  const { copyAll, progress } = setUp();
  emitted = [1, 2, 3].map((seq) => step(seq));
  const sent: number[] = [];
  const completed = (eventId: number) => ({ eventId, workflowTaskCompletedEventAttributes: {} }) as never;
  // The second page is queried after another task, of which it may not have everything.
  whileQueued = () => void progress.observe([completed(queries.length * 10)]);
  await copyAll({ onSent: () => void sent.push(queries.length) });
  expect([queries, sent, progress.isBehind]).toEqual([[0, 2], [1], true]);
  whileQueued = () => {};
  await copyAll();
  expect(progress.isBehind).toBe(false);
  whileQueued = () => void progress.observe([completed(30)]);
  await copyAll();
  expect(progress.isBehind).toBe(false);
});

test('a result from before the watch covers a run that had closed by then', async () => {
  emitted = [step(1), end(2)];
  const { copyAll } = setUp(await query(RUN, 0));
  queries = [];
  expect(await copyAll()).toEqual({ end: end(2), lastSeq: 1 });
  expect(queries).toEqual([]);
});

test('a result from before the watch that has more pages is followed by queries, which cover new tasks', async () => {
  emitted = [step(1), step(2), step(3)];
  const { copyAll, progress } = setUp(await query(RUN, 0));
  progress.observe([completedTask(7)]);
  expect(await copyAll()).toEqual({ end: undefined, lastSeq: 3 });
  expect(progress.isBehind).toBe(false);
});

test('a result from before the watch covers nothing of tasks that fail and run again', async () => {
  emitted = [step(1)];
  const { copyAll, progress } = setUp(await query(RUN, 0));
  progress.observe([{ workflowTaskFailedEventAttributes: {} } as never, completedTask(9)]);
  await copyAll();
  expect(progress.isBehind).toBe(true);
});
