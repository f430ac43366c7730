// Warnings to viewers while a publisher is silent, in fake time, with the memory log.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { audience } from './audience.ts';
import { ID, MINUTE_MS, setUp } from './silent-publisher.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a viewer is warned once after 30 s without a heartbeat, and so is a viewer that joins later', async () => {
  const { log, first } = await setUp();
  const viewers = audience();
  first.follow(ID, viewers);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(viewers.warnings).toEqual([]);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(viewers.warnings).toEqual(['PUBLISHER_SILENT']);
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(viewers.warnings).toEqual(['PUBLISHER_SILENT']);
  expect(viewers.activeWarning).toBe('PUBLISHER_SILENT');
  // The first viewer of another process.
  const late = audience();
  first.follow(ID, late);
  await vi.advanceTimersByTimeAsync(0);
  expect(late.activeWarning).toBe('PUBLISHER_SILENT');

  await log.recordHeartbeat(ID);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(viewers.activeWarning).toBeUndefined();
  await vi.advanceTimersByTimeAsync(36_000);
  expect(viewers.warnings).toEqual(['PUBLISHER_SILENT', 'PUBLISHER_SILENT']);
});

test('a viewer is not warned while heartbeats arrive, nor if there has never been one', async () => {
  const { log, first } = await setUp();
  const [viewers, others] = [audience(), audience()];
  first.follow(ID, viewers);
  first.follow('published-by-hand', others);
  for (let i = 0; i < 60; i += 1) {
    await log.recordHeartbeat(ID);
    await vi.advanceTimersByTimeAsync(10_000);
  }
  expect([...viewers.warnings, ...others.warnings]).toEqual([]);
});

test('after the last viewer leaves, there are no more warnings and no timer', async () => {
  const { first } = await setUp();
  const viewers = audience();
  first.follow(ID, viewers)();
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(viewers.warnings).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
