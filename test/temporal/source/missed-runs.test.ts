// Which run a viewer gets that returns with a cursor of an earlier one, with a fake Temporal.
import { expect, test } from 'vitest';
import { pinnedRunKey } from '../../../src/event/execution-key.ts';
import type { Execution } from '../../../src/execution/store.ts';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import { createMissedRuns } from '../../../src/temporal/source/missed-runs.ts';
import type { VisibleRun } from '../../../src/temporal/source/temporal-client.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

const EPOCH = 'aaaaaaaaaa';
const at = (second: number, ns = 0) =>
  `2026-11-28T10:00:${`${second}`.padStart(2, '0')}.${`${ns}`.padStart(9, '0')}Z`;

/** The run id with this number. */
const idOf = (run: number) => `00000000-0000-4000-8000-${`${run}`.padStart(12, '0')}`;
const [R1, R2, R3, R4] = [idOf(1), idOf(2), idOf(3), idOf(4)];

/** A run from one second to another; open without an end. */
function run(runId: string, from: number, to?: number): VisibleRun {
  const finishedAt = to === undefined ? undefined : at(to, 500);
  const status = to === undefined ? 'RUNNING' : 'SUCCESS';
  return { workflowId: 'w', runId, status, startedAt: at(from, 500), finishedAt };
}

function row(runId: string, from: number, to?: number): Execution {
  return {
    ...{ id: 'w', kind: 'workflow', mode: 'STRUCTURED', attempt: 1, revision: 1, workflowId: 'w', runId },
    startedAt: new Date(at(from)),
    status: to === undefined ? 'RUNNING' : 'SUCCESS',
    ...(to !== undefined && { finishedAt: new Date(at(to)), end: { seq: 4, epoch: EPOCH } }),
  };
}

function setUp(visible: readonly VisibleRun[]) {
  const [log, store] = [createMemoryLog(), createMemoryStore()];
  const world = { visible, isAvailable: true, lists: 0 };
  const missed = createMissedRuns({
    ...{ log, store },
    temporal: {
      async list() {
        world.lists += 1;
        if (!world.isAvailable) throw new TemporalError('unavailable', 'unavailable');
        return world.visible;
      },
    },
    resolution: {
      refOf: async () => ({ namespace: 'default', workflowId: 'w' }),
      async findRun({ id, workflowId }, runId) {
        const key = pinnedRunKey(id, runId);
        const begun = { id: key, kind: 'workflow', mode: 'STRUCTURED', attempt: 1 } as const;
        return (await store.get(key)) ?? store.begin({ ...begun, workflowId: workflowId!, runId });
      },
    },
  });
  /** Ends a pinned run, whose log has this many events; returns the epoch of the log. */
  async function end(runId: string, seq: number, second: number): Promise<string> {
    const key = pinnedRunKey('w', runId);
    const { epoch } = (await log.head(key))!;
    await store.finish(key, 1, { status: 'SUCCESS', finishedAt: new Date(at(second)) });
    await store.markEnd(key, { seq, epoch });
    return epoch;
  }
  return { missed, world, log, store, end };
}

test('the runs between the former row and the latest one follow each other, and then the latest one', async () => {
  const latest = row(R4, 30);
  const { missed, log, end } = setUp([run(R4, 30), run(R3, 20, 21), run(R2, 10, 11), run(R1, 0, 5)]);
  missed.record(row(R1, 0, 5));
  let cursor = { seq: 4, epoch: EPOCH };
  for (const [runId, second] of [
    [R2, 11],
    [R3, 21],
  ] as const) {
    const next = await missed.next(latest, cursor);
    expect(next?.runId).toBe(runId);
    const head = (await log.head(next!.id))!;
    expect(head).toMatchObject({ head: 0, resetReason: 'run' });
    // Until its end was read, the same run continues.
    expect((await missed.next(latest, { seq: 1, epoch: head.epoch }))?.runId).toBe(runId);
    cursor = { seq: 3, epoch: await end(runId, 3, second) };
  }
  expect(await missed.next(latest, cursor)).toBeUndefined();
});

test('a row whose end was not read is shown again from its start, and a chain run by run', async () => {
  const latest = row(R3, 30);
  const { missed } = setUp([run(R3, 30), run(R4, 3, 5), run(R1, 0, 3)]);
  missed.record(row(R1, 0, 5));
  expect((await missed.next(latest, { seq: 2, epoch: EPOCH }))?.runId).toBe(R1);
  expect(await missed.next(latest, { seq: 4, epoch: EPOCH })).toBeUndefined();
});

test('the runs of the latest row do not count as missed', async () => {
  const latest = row(R2, 10);
  const { missed } = setUp([run(R3, 12), run(R2, 10, 12), run(R1, 0, 5)]);
  missed.record(row(R1, 0, 5));
  expect(await missed.next(latest, { seq: 4, epoch: EPOCH })).toBeUndefined();
});

test('a run that a new start has terminated is followed by one that started before its end', async () => {
  const { missed } = setUp([run(R3, 30), { ...run(R2, 4, 11) }, run(R1, 0, 5)]);
  missed.record({ ...row(R1, 0, 5), status: 'TERMINATED' });
  expect((await missed.next(row(R3, 30), { seq: 4, epoch: EPOCH }))?.runId).toBe(R2);
});

test('the end of a run is noted when it is appended, also if another row follows immediately', async () => {
  const { missed, log, store } = setUp([run(R3, 30), run(R2, 10, 11), run(R1, 0, 5)]);
  const stop = await missed.observe('w');
  const opened = await log.open('w', { numbering: 'fixed', attempt: 1 });
  if (opened.outcome !== 'opened') throw new Error(opened.outcome);
  const { epoch } = opened.head;
  const start = { workflowId: 'w', workflowType: 'W', runId: R1 };
  await log.append('w', {
    ...{ epoch, acknowledged: 0 },
    events: [
      { seq: 1, type: 'workflow_start', ts: at(0), data: start },
      { seq: 2, type: 'complete', ts: at(5), data: { status: 'SUCCESS', durationMs: 5_000 } },
    ],
  });
  expect(await store.get('w')).toBeUndefined();
  expect((await missed.next(row(R3, 30), { seq: 2, epoch }))?.runId).toBe(R2);
  await stop();
});

test('visibility that lacks the latest run is waited for', async () => {
  const { missed, world } = setUp([run(R1, 0, 5)]);
  missed.record(row(R1, 0, 5));
  setTimeout(() => {
    world.visible = [run(R3, 30), run(R2, 10, 11), run(R1, 0, 5)];
  }, 100);
  expect((await missed.next(row(R3, 30), { seq: 4, epoch: EPOCH }))?.runId).toBe(R2);
  expect(world.lists).toBeGreaterThan(1);
});

test.each([
  ['the cursor is of an unknown epoch', { seq: 4, epoch: 'bbbbbbbbbb' }, true],
  ['the cursor has no epoch', { seq: 4 }, true],
  ['Temporal is unavailable', { seq: 4, epoch: EPOCH }, false],
])('the latest run follows if %s', async (_, cursor, isAvailable) => {
  const { missed, world } = setUp([run(R3, 30), run(R2, 10, 11), run(R1, 0, 5)]);
  missed.record(row(R1, 0, 5));
  world.isAvailable = isAvailable;
  expect(await missed.next(row(R3, 30), cursor)).toBeUndefined();
});

test('visibility that lacks the latest run for long is used as it is', async () => {
  const { missed } = setUp([run(R2, 10, 11), run(R1, 0, 5)]);
  missed.record(row(R1, 0, 5));
  expect((await missed.next(row(R3, 30), { seq: 4, epoch: EPOCH }))?.runId).toBe(R2);
});

test('a pinned run and an execution without a workflow have no missed runs', async () => {
  const { missed, world } = setUp([run(R2, 10, 11)]);
  const cursor = { seq: 4, epoch: EPOCH };
  expect(await missed.next({ ...row(R3, 30), id: pinnedRunKey('w', R3) }, cursor)).toBeUndefined();
  expect(await missed.next({ ...row(R3, 30), kind: 'agent' }, cursor)).toBeUndefined();
  expect(world.lists).toBe(0);
});
