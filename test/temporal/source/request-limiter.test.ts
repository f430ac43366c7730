// The order and the rate of requests to Temporal.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import {
  type LimitedRequest,
  RequestLimiter,
  type RequestLimits,
} from '../../../src/temporal/source/request-limiter.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp(limits: Partial<RequestLimits> = {}) {
  const limiter = new RequestLimiter({
    ...{ perSecond: 10, burst: 2, queriesPerTaskQueue: 1, maxWaitMs: 1_000 },
    ...limits,
  });
  const sent: string[] = [];
  const done = new Map<string, () => void>();
  /** Requests a turn under a name; `sent` gets the name, or the condition of the error. */
  async function request(name: string, options: Partial<LimitedRequest> = {}, signal?: AbortSignal) {
    try {
      done.set(name, await limiter.acquire({ namespace: 'n', priority: 'poll', ...options }, signal));
      sent.push(name);
    } catch (error) {
      sent.push(`${name}: ${error instanceof TemporalError ? error.condition : error}`);
    }
  }
  const after = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    return sent.splice(0);
  };
  return { limiter, request, after, finish: (name: string) => done.get(name)!() };
}

test('a burst is sent without delay, and the rest at the rate', async () => {
  const { request, after } = setUp();
  for (const name of ['a', 'b', 'c', 'd']) void request(name);
  expect(await after(0)).toEqual(['a', 'b']);
  expect(await after(100)).toEqual(['c']);
  expect(await after(100)).toEqual(['d']);
});

test('the next request is the most urgent one, and the oldest of those', async () => {
  const { request, after } = setUp({ burst: 1, maxWaitMs: 5_000 });
  void request('first');
  for (const priority of ['sweep', 'retry', 'poll', 'watch', 'view', 'end'] as const) {
    void request(priority, { priority });
    void request(`${priority} 2`, { priority });
  }
  expect(await after(1_200)).toEqual([
    ...['first', 'end', 'end 2', 'view', 'view 2', 'watch', 'watch 2', 'poll', 'poll 2'],
    ...['retry', 'retry 2', 'sweep', 'sweep 2'],
  ]);
});

test('each namespace has its own rate', async () => {
  const { request, after } = setUp({ burst: 1 });
  void request('a');
  void request('b');
  void request('c', { namespace: 'other' });
  expect(await after(0)).toEqual(['a', 'c']);
});

test('queries to one task queue wait for each other, and not those to another one', async () => {
  const { request, after, finish, limiter } = setUp({ burst: 100 });
  void request('a', { taskQueue: 'q' });
  void request('b', { taskQueue: 'q' });
  void request('c', { taskQueue: 'other' });
  void request('d');
  expect(await after(0)).toEqual(['a', 'c', 'd']);
  expect(limiter.waiting('poll')).toBe(1);
  finish('a');
  expect(await after(0)).toEqual(['b']);
  expect(limiter.waiting('poll')).toBe(0);
});

test('a query for an end may use a slot of its task queue that others may not', async () => {
  const { request, after } = setUp({ burst: 100 });
  void request('a', { taskQueue: 'q' });
  void request('b', { taskQueue: 'q' });
  void request('end', { taskQueue: 'q', priority: 'end' });
  void request('end 2', { taskQueue: 'q', priority: 'end' });
  expect(await after(0)).toEqual(['a', 'end']);
});

test('while there are queries for ends, others use up to a quarter of the slots, and never none', async () => {
  const { request, after, finish } = setUp({ burst: 100, queriesPerTaskQueue: 8 });
  for (const name of ['a', 'b', 'c']) void request(name, { taskQueue: 'q' });
  void request('end', { taskQueue: 'q', priority: 'end' });
  void request('d', { taskQueue: 'q' });
  void request('e', { taskQueue: 'other' });
  void request('f');
  expect(await after(0)).toEqual(['a', 'b', 'c', 'end', 'e', 'f']);
  finish('a');
  expect(await after(0)).toEqual([]);
  finish('b');
  expect(await after(0)).toEqual(['d']);
  void request('g', { taskQueue: 'q' });
  expect(await after(0)).toEqual([]);
  finish('end');
  expect(await after(0)).toEqual(['g']);
});

test('a query for an end that leaves the queue no longer holds others back', async () => {
  const { request, after, finish } = setUp({ burst: 100, queriesPerTaskQueue: 4 });
  const leaving = new AbortController();
  for (let i = 1; i <= 8; i += 1) void request(`end ${i}`, { taskQueue: 'q', priority: 'end' });
  void request('late', { taskQueue: 'q', priority: 'end' }, leaving.signal);
  await after(0);
  leaving.abort('left');
  expect(await after(0)).toEqual(['late: left']);
  for (let i = 1; i <= 8; i += 1) finish(`end ${i}`);
  for (const name of ['a', 'b']) void request(name, { taskQueue: 'q' });
  expect(await after(0)).toEqual(['a', 'b']);
});

test('queries that failed before use up to half of the slots of their task queue', async () => {
  const { request, after, finish } = setUp({ burst: 100, queriesPerTaskQueue: 2 });
  void request('again', { taskQueue: 'q', priority: 'retry' });
  void request('again 2', { taskQueue: 'q', priority: 'retry' });
  void request('new', { taskQueue: 'q' });
  expect(await after(0)).toEqual(['again', 'new']);
  finish('new');
  expect(await after(0)).toEqual([]);
  finish('again');
  expect(await after(0)).toEqual(['again 2']);
});

test('queries that wait for a task queue without a worker fail together, except for those of ends', async () => {
  const { request, after, finish, limiter } = setUp({ burst: 100 });
  void request('a', { taskQueue: 'q' });
  void request('b', { taskQueue: 'q' });
  void request('c', { taskQueue: 'q', priority: 'view' });
  void request('d', { taskQueue: 'other' });
  void request('e', { taskQueue: 'other' });
  void request('end', { taskQueue: 'q', priority: 'end' });
  void request('end 2', { taskQueue: 'q', priority: 'end' });
  expect(await after(0)).toEqual(['a', 'd', 'end']);
  limiter.rejectQueries('n', 'q', new TemporalError('no-worker', 'no poller'));
  finish('a');
  finish('end');
  expect(await after(0)).toEqual(['c: no-worker', 'b: no-worker', 'end 2']);
  finish('d');
  expect(await after(0)).toEqual(['e']);
});

test('a request that waits too long for the rate is rate-limited, and one for a busy task queue waits', async () => {
  const { request, after } = setUp({ perSecond: 0.1, burst: 2 });
  void request('a', { taskQueue: 'q' });
  void request('b');
  void request('c');
  void request('d', { taskQueue: 'q' });
  expect(await after(999)).toEqual(['a', 'b']);
  expect(await after(1)).toEqual(['c: rate-limited']);
  expect(await after(60_000)).toEqual([]);
});

test('a request that is aborted leaves the queue and uses nothing', async () => {
  const { request, after, limiter } = setUp({ burst: 1 });
  const leaving = new AbortController();
  void request('a');
  void request('b', {}, leaving.signal);
  void request('c');
  await after(0);
  leaving.abort('left');
  expect(await after(0)).toEqual(['b: left']);
  expect(await after(100)).toEqual(['c']);
  void request('d', {}, leaving.signal);
  expect(await after(0)).toEqual(['d: left']);
  expect(limiter.waiting('poll')).toBe(0);
});

test('the time that requests have waited is added up', async () => {
  const { request, after, limiter } = setUp({ burst: 1 });
  void request('a');
  void request('b');
  void request('c', { priority: 'end' });
  await after(250);
  expect(limiter.waitedMs('end')).toBeCloseTo(100, 0);
  expect(limiter.waitedMs('poll')).toBeCloseTo(200, 0);
  expect(limiter.waitedMs('sweep')).toBe(0);
});
