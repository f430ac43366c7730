// The log in memory fulfils the contract of logs, and ends with its process.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { logContract } from './contract.ts';
import { request, take } from './logs.ts';
import { chunk, complete, recorder, seqs } from './recorder.ts';

describe('the memory log', () => {
  logContract((bounds) => createMemoryLog({ ...DEFAULT_BOUNDS, ...bounds }));
});

describe('an ended log in memory', () => {
  afterEach(() => vi.useRealTimers());

  async function ended(keepEndedMs?: number) {
    vi.useFakeTimers();
    const log = createMemoryLog(keepEndedMs === undefined ? undefined : { ...DEFAULT_BOUNDS, keepEndedMs });
    const head = await take(log, 'a1');
    await log.append('a1', request(head, [complete()]));
    return { log, head };
  }

  test('is kept for one hour by default', async () => {
    const { log } = await ended();
    vi.advanceTimersByTime(60 * 60 * 1_000 - 1);
    expect(await log.head('a1')).toMatchObject({ end: 1 });
    vi.advanceTimersByTime(1);
    expect(await log.head('a1')).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is kept, and not dropped immediately, if it is to be kept longer than a timer can wait', async () => {
    const { log } = await ended(2 ** 31);
    vi.advanceTimersByTime(2 ** 31 - 2);
    expect(await log.head('a1')).toMatchObject({ end: 1 });
  });

  test('leaves no timer once the log is closed', async () => {
    const { log } = await ended();
    expect(vi.getTimerCount()).toBe(1);
    await log.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('a memory log that is closed announces nothing more', async () => {
  const log = createMemoryLog();
  const head = await take(log, 'a1');
  const heard = recorder();
  await log.listen('a1', heard);
  await log.append('a1', request(head, [chunk('a')]));
  await heard.heard(1);
  await log.close();
  await log.append('a1', request(head, [chunk('b')]));
  await new Promise(setImmediate);
  expect(seqs(heard.events)).toEqual([1]);
});

test('an event in memory is independent of the object that was appended', async () => {
  const log = createMemoryLog();
  const event = chunk('a');
  await log.append('a1', request(await take(log, 'a1'), [event]));
  event.data.content = 'changed';
  expect((await log.read('a1', 0, 1))!.events[0]!.data).toEqual({ content: 'a' });
});

test('a log in memory keeps events of exactly the maximum bytes', async () => {
  const measured = createMemoryLog();
  const append = async (log: typeof measured) => {
    const head = await take(log, 'a1');
    await log.append('a1', request(head, [chunk('é'), chunk('b')]));
    return (await log.read('a1', 0, 9))!.events;
  };
  const bytes = (await append(measured))
    .map(({ executionId: _, ...envelope }) => Buffer.byteLength(JSON.stringify(envelope)))
    .reduce((sum, each) => sum + each);
  expect(await append(createMemoryLog({ ...DEFAULT_BOUNDS, maxBytes: bytes }))).toHaveLength(2);
  expect(await append(createMemoryLog({ ...DEFAULT_BOUNDS, maxBytes: bytes - 1 }))).toHaveLength(1);
  expect(await append(createMemoryLog({ ...DEFAULT_BOUNDS, maxEvents: 2 }))).toHaveLength(2);
});
