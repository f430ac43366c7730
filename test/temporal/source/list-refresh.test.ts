// Which rows of a list are brought up to date, with a fake Temporal.
import { expect, test, vi } from 'vitest';
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import { createListRefresh } from '../../../src/temporal/source/list-refresh.ts';
import type { VisibilityRequest, VisibleRun } from '../../../src/temporal/source/temporal-client.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

const FIRST = 100;

interface SetUp {
  readonly ids: readonly string[];
  /** Rows that have ended. */
  readonly ended?: readonly string[];
  /** Rows with the status `PAUSED`. */
  readonly paused?: readonly string[];
  /** The runs that visibility has; undefined if it is unavailable. */
  readonly visible?: readonly VisibleRun[] | Promise<never>;
}

async function setUp({ ids, ended = [], paused = [], visible }: SetUp) {
  const store = createMemoryStore();
  for (const id of ids) {
    const kind = id.startsWith('agent') ? 'agent' : 'workflow';
    const workflow = kind === 'workflow' && { workflowId: id, runId: `${id}-r1` };
    await store.begin({ id, kind, mode: 'STRUCTURED', ...workflow });
    if (paused.includes(id)) await store.setStatus(id, 1, 'PAUSED');
    if (ended.includes(id)) await store.finish(id, 1, { status: 'SUCCESS' });
  }
  const requests: VisibilityRequest[] = [];
  const checked: string[] = [];
  const refresh = createListRefresh({
    store,
    temporal: {
      async list(request) {
        requests.push(request);
        if (!visible) throw new TemporalError('unavailable', 'no visibility');
        return visible;
      },
    },
    async refOf({ id }) {
      if (id === 'unresolved') throw new Error('hook failed');
      return { namespace: id.startsWith('other') ? 'other' : 'default', workflowId: id };
    },
    async latest(row) {
      checked.push(row.id);
      return row;
    },
  });
  return { refresh, requests, checked };
}

function visible(workflowId: string, run: string, isOpen: boolean, startedAt = new Date()): VisibleRun {
  const status = isOpen ? 'RUNNING' : 'SUCCESS';
  const start = startedAt.toISOString();
  return {
    ...{ workflowId, runId: `${workflowId}-${run}`, status, startedAt: start },
    finishedAt: isOpen ? undefined : start,
  };
}

const later = () => new Date(Date.now() + 60_000);

test('rows that are as visibility has them are not described', async () => {
  const { refresh, checked, requests } = await setUp({
    ids: ['open', 'ended', 'agent-1'],
    ended: ['ended'],
    visible: [visible('open', 'r1', true), visible('ended', 'r1', false, new Date(0))],
  });
  await refresh({ first: FIRST });
  expect(checked).toEqual([]);
  expect(requests).toHaveLength(1);
  expect(requests[0]!.query).toMatch(/^WorkflowId IN \('ended', 'open'\) AND StartTime >= '|'open', 'ended'/);
});

test('rows whose run has closed, is unknown, or was followed by another one are described', async () => {
  const { refresh, checked } = await setUp({
    ids: ['closed', 'unknown', 'again', 'other-replaced'],
    ended: ['again'],
    visible: [
      visible('closed', 'r1', false),
      visible('again', 'r2', true, later()),
      visible('other-replaced', 'r2', true),
    ],
  });
  await refresh({ first: FIRST, status: 'RUNNING' });
  expect(new Set(checked)).toEqual(new Set(['closed', 'unknown', 'again', 'other-replaced']));
});

test('a row that differs from visibility in a pause is described, and once if it calls itself paused', async () => {
  const run = visible('w', 'r1', true);
  const paused = await setUp({ ids: ['w'], visible: [{ ...run, status: 'PAUSED' }] });
  await paused.refresh({ first: FIRST });
  expect(paused.checked).toEqual(['w']);
  const own = await setUp({ ids: ['w'], paused: ['w'], visible: [run] });
  for (let request = 0; request < 3; request += 1) await own.refresh({ first: FIRST });
  expect(own.checked).toEqual(['w']);
});

test('a later run of a chain is described once', async () => {
  const { refresh, checked } = await setUp({ ids: ['chain'], visible: [visible('chain', 'r2', true)] });
  for (let request = 0; request < 3; request += 1) await refresh({ first: FIRST });
  expect(checked).toEqual(['chain']);
});

test('up to 20 rows are described for a page', async () => {
  const ids = Array.from({ length: 30 }, (_, i) => `w${i}`);
  const { refresh, checked } = await setUp({ ids, visible: [] });
  await refresh({ first: FIRST });
  expect(checked).toHaveLength(20);
});

test('without visibility, and without workflows on the page, the rows stay as they are', async () => {
  const without = await setUp({ ids: ['open'] });
  await without.refresh({ first: FIRST });
  expect(without.checked).toEqual([]);
  const agents = await setUp({ ids: ['agent-1', 'unresolved', "w'1"], visible: [] });
  await agents.refresh({ first: FIRST });
  await agents.refresh({ first: FIRST, kind: 'agent' });
  expect(agents.requests).toEqual([]);
});

test('a list does not wait for Temporal for longer than 2 s', async () => {
  vi.useFakeTimers();
  try {
    const { refresh, requests } = await setUp({ ids: ['open'], visible: new Promise<never>(() => {}) });
    let isDone = false;
    const refreshed = refresh({ first: FIRST }).then(() => {
      isDone = true;
    });
    await vi.advanceTimersByTimeAsync(1_900);
    expect([requests.length, isDone]).toEqual([1, false]);
    await vi.advanceTimersByTimeAsync(100);
    await refreshed;
  } finally {
    vi.useRealTimers();
  }
});
