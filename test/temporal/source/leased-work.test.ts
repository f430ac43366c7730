// Work under a lease: renewed while it runs, aborted when the lease is lost, released at the end.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { type LeaseOptions, withLease } from '../../../src/temporal/source/leased-work.ts';

let log: ReturnType<typeof createMemoryLog>;
beforeEach(() => {
  vi.useFakeTimers();
  log = createMemoryLog();
});
afterEach(async () => {
  vi.useRealTimers();
  await log.close();
});

function lease(options: Partial<LeaseOptions> = {}): LeaseOptions {
  return {
    ...{ log, executionId: 'w', holder: 'a', leaseMs: 300, note: () => 'note' },
    ...{ signal: new AbortController().signal, ...options },
  };
}

/** Work that ends when `finish` is called, or when its signal aborts. */
function work() {
  let resolve: (result: string) => void = () => {};
  const promise = new Promise<string>((settle) => {
    resolve = settle;
  });
  const run = async (fence: number, signal: AbortSignal) => {
    signal.addEventListener('abort', () => resolve(`aborted ${fence}`));
    return promise;
  };
  return { run, finish: (result: string) => resolve(result) };
}

test('a lease is renewed with its note while the work runs, and released after it', async () => {
  const { run, finish } = work();
  const running = withLease(lease(), run);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await withLease(lease({ holder: 'b' }), run)).toBe('not-held');
  expect(await log.readLeaseNote('w')).toBe('note');
  finish('finished');
  expect(await running).toBe('finished');
  expect(await withLease(lease({ holder: 'b' }), async () => 'next')).toBe('next');
});

test('work is aborted when another holder has the lease, which is then not released', async () => {
  const dropped = vi.fn(async () => {});
  const renewed = vi.fn(async () => false);
  const running = withLease(lease({ log: { ...log, renewLease: renewed, dropLease: dropped } }), work().run);
  await vi.advanceTimersByTimeAsync(100);
  expect(await running).toMatch(/^aborted \d+$/);
  expect(dropped).not.toHaveBeenCalled();
});

test('work continues if a renewal fails, because the lease may still be held', async () => {
  const { run, finish } = work();
  const renewed = vi.fn(() => Promise.reject(new Error('unavailable')));
  const running = withLease(lease({ log: { ...log, renewLease: renewed } }), run);
  await vi.advanceTimersByTimeAsync(250);
  expect(renewed).toHaveBeenCalledTimes(2);
  finish('finished');
  expect(await running).toBe('finished');
});

test('a lease is released if the work throws', async () => {
  const failing = withLease(lease(), async () => {
    throw new Error('failed');
  });
  await expect(failing).rejects.toThrow('failed');
  expect(await withLease(lease({ holder: 'b' }), async () => 'next')).toBe('next');
});
