// The queue and the appender of a sink: batches, replaced events, and events that are left to the server.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryLog } from '../../src/log/memory.ts';
import type { WorkflowEvent } from '../../src/temporal/shared/stream-query.ts';
import { createSinkAppender } from '../../src/temporal/worker/sink-appender.ts';
import { createSinkQueue } from '../../src/temporal/worker/sink-queue.ts';
import type { RunSinkEvent } from '../../src/temporal/worker/sink-target.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { SILENT } from '../support/silent.ts';

function sinkEvent(seq: number, { step = `${seq}`, epoch = 'r1', bytes = 100 } = {}): RunSinkEvent {
  const data = { status: 'RUNNING', step } as const;
  const event: WorkflowEvent = { seq, type: 'workflow_status', ts: '2026-01-01T00:00:00.000Z', data };
  const run = {
    ...{ namespace: 'default', workflowId: 'w', runId: epoch, workflowType: 'digest', firstRunId: 'r1' },
    ...{ attempt: 1, startedAt: 0, runStartedAt: 0 },
  };
  return { executionId: 'w', epoch, event, run, bytes };
}

const steps = (events: readonly RunSinkEvent[]) =>
  events.map(({ event }) => (event.data as { step: string }).step);

describe('the queue of a sink', () => {
  let removed: [bytes: number, isDropped: boolean][];
  let queue: ReturnType<typeof createSinkQueue>;
  beforeEach(() => {
    removed = [];
    queue = createSinkQueue((...args) => removed.push(args));
  });

  test('puts consecutive events of one epoch into one batch', () => {
    for (const seq of [1, 2, 4]) queue.push(sinkEvent(seq));
    expect(steps(queue.batch())).toEqual(['1', '2']);
    queue.remove(queue.batch(), false);
    expect(steps(queue.batch())).toEqual(['4']);
    queue.push(sinkEvent(5, { epoch: 'r2' }));
    expect(steps(queue.batch())).toEqual(['4']);
  });

  test('limits a batch to 200 events, and to the bytes of one append', () => {
    for (let seq = 1; seq <= 201; seq += 1) queue.push(sinkEvent(seq));
    expect(queue.batch()).toHaveLength(200);
    queue.drop();
    for (let seq = 1; seq <= 3; seq += 1) queue.push(sinkEvent(seq, { bytes: 600_000 }));
    expect(queue.batch()).toHaveLength(1);
  });

  test('replaces the events of a failed workflow task with those of its retry', () => {
    for (const seq of [1, 2, 3]) queue.push(sinkEvent(seq));
    queue.push(sinkEvent(2, { step: 'other' }));
    expect(steps(queue.batch())).toEqual(['1', 'other']);
    expect(removed).toEqual([
      [100, false],
      [100, false],
    ]);
  });

  test('removes an event of a batch only while it is queued', () => {
    queue.push(sinkEvent(1));
    const batch = queue.batch();
    queue.drop();
    queue.push(sinkEvent(2));
    queue.remove(batch, false);
    expect(removed).toEqual([[100, true]]);
    expect(queue.isEmpty).toBe(false);
  });
});

describe('the appender of a sink', () => {
  let log: ReturnType<typeof createMemoryLog>;
  let store: ReturnType<typeof createMemoryStore>;
  let messages: string[];
  beforeEach(() => {
    log = createMemoryLog();
    store = createMemoryStore();
    messages = [];
  });
  afterEach(() => log.close());

  const appender = () =>
    createSinkAppender({ log, store, logger: { ...SILENT, info: (_, message) => messages.push(message!) } });

  test('starts the log and the row with the first event, and reports the head', async () => {
    const sink = appender();
    expect(sink.last).toBeUndefined();
    expect(await sink.append([sinkEvent(1), sinkEvent(2)])).toBe('done');
    expect(sink.last).toMatchObject({ epoch: 'r1', head: 2, logEpoch: (await log.head('w'))!.epoch });
    expect(await store.get('w')).toMatchObject({ kind: 'workflow', attempt: 1 });
  });

  test('reports a gap, and appends once the events before are there', async () => {
    const sink = appender();
    await sink.append([sinkEvent(1)]);
    expect(await sink.append([sinkEvent(3)])).toBe('gap');
    expect(await sink.append([sinkEvent(2)])).toBe('done');
    expect(await sink.append([sinkEvent(3)])).toBe('done');
  });

  test('skips a log that contradicts its events, until it is in another epoch', async () => {
    const sink = appender();
    await sink.append([sinkEvent(1)]);
    expect(await sink.append([sinkEvent(1, { step: 'other' })])).toBe('skipped');
    expect(await sink.append([sinkEvent(2)])).toBe('skipped');
    expect(messages).toEqual([
      'events not appended (the log has other events); the server reads them by the query',
    ]);
    const { epoch } = (await log.head('w'))!;
    await log.open('w', {
      numbering: 'fixed',
      attempt: 1,
      lost: { epoch, acknowledged: Number.POSITIVE_INFINITY },
    });
    const first = sinkEvent(1, { step: 'other' });
    expect(await sink.append([first, sinkEvent(2)])).toBe('done');
  });

  test('skips the log of a publisher', async () => {
    await log.open('w', { numbering: 'auto', publisher: 'p', attempt: 1 });
    expect(await appender().append([sinkEvent(1)])).toBe('skipped');
  });

  test('skips a log that was never started from there, but creates the row', async () => {
    expect(await appender().append([sinkEvent(7)])).toBe('skipped');
    expect(await log.head('w')).toBeUndefined();
    expect(await store.get('w')).toMatchObject({ workflowId: 'w' });
  });
});
