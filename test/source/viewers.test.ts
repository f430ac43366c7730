// Warnings and poll intervals between viewers and the source of their execution, through the tails of a process.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ExecutionEvent } from '../../src/event/events.ts';
import { ANONYMOUS, allowTenant } from '../../src/execution/permission.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createLivenessMonitor } from '../../src/source/liveness-monitor.ts';
import type { Audience } from '../../src/source/source.ts';
import { type OpenViewer, Tails } from '../../src/tail/tails.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { SILENT } from '../support/silent.ts';

const ID = 'agent-1';

beforeEach(() => {
  // Fakes timers, but not `setImmediate`, which admits viewers.
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

async function setUp() {
  const log = createMemoryLog();
  const store = createMemoryStore();
  const reconcileEnd = async () => {};
  const liveness = createLivenessMonitor({ log, store, reconcileEnd });
  let seen: Audience | undefined;
  const follow = (executionId: string, audience: Audience) => {
    seen = audience;
    return liveness.follow(executionId, audience);
  };
  const tails = new Tails({ log, store, authorize: allowTenant, reconcileEnd, follow, logger: SILENT });
  await store.begin({ id: ID, kind: 'agent', mode: 'TEXT' });
  await log.open(ID, { numbering: 'auto', publisher: 'p', attempt: 1 });
  await log.recordHeartbeat(ID);
  const open = (more: Partial<OpenViewer> = {}) =>
    tails.open({ kind: 'agent', executionId: ID, caller: ANONYMOUS, ...more });
  return { log, tails, open, audience: () => seen! };
}

const codes = (events: (ExecutionEvent | undefined)[]) =>
  events.flatMap((event) => (event?.type === 'warning' ? [`${event.data.code} ${event.seq}`] : []));

test('each viewer is warned of a silence once, also one that joins during it', async () => {
  const { log, open } = await setUp();
  const first = await open();
  await vi.advanceTimersByTimeAsync(40_000);
  expect(codes([first.take(), first.take()])).toEqual(['PUBLISHER_SILENT 0']);
  const late = await open();
  expect(codes([late.take(), late.take()])).toEqual(['PUBLISHER_SILENT 0']);
  const filtered = await open({ events: new Set(['llm_chunk']) });
  expect(filtered.take()).toBeUndefined();
  await log.recordHeartbeat(ID);
  await vi.advanceTimersByTimeAsync(5_000);
  const later = await open();
  expect([first, late, later].map((viewer) => viewer.take())).toEqual([undefined, undefined, undefined]);
});

test('the shortest poll interval of the current viewers applies, 500 ms if none is requested', async () => {
  const { open, audience } = await setUp();
  const plain = await open();
  expect(audience().pollMs).toBe(500);
  const quick = await open({ pollMs: 250 });
  const slow = await open({ pollMs: 2_000 });
  expect(audience().pollMs).toBe(250);
  quick.close();
  expect(audience().pollMs).toBe(500);
  plain.close();
  expect(audience().pollMs).toBe(2_000);
  slow.close();
});

test('closed tails stop following their executions', async () => {
  const { open, tails } = await setUp();
  const viewer = await open();
  await tails.close();
  expect(vi.getTimerCount()).toBe(0);
  viewer.close();
});
