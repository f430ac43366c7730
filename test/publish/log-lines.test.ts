// The log lines of a run: each names the cause in `err`.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { createRig } from './rig.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Waits for a promise while the fake time passes. */
async function during<T>(promise: Promise<T>, ms: number): Promise<T> {
  await vi.advanceTimersByTimeAsync(ms);
  return promise;
}

const UNAVAILABLE = { err: expect.objectContaining({ code: 'SOURCE_UNAVAILABLE' }) };

test('while the log is unavailable, begin(), the outbox and close() log its error once each', async () => {
  const { publisher, log, logger } = createRig({ beginMs: 500, closeMs: 500 });
  log.faults.isAway = true;
  await during(publisher.begin({ kind: 'agent', id: 'a1' }), 500);
  await during(publisher.close(), 500);
  expect(logger.lines).toEqual([
    {
      level: 'warn',
      message: 'log unavailable: queueing events and retrying',
      fields: expect.objectContaining(UNAVAILABLE),
    },
    {
      level: 'warn',
      message: 'row or log unavailable: queueing events and retrying',
      fields: expect.objectContaining(UNAVAILABLE),
    },
    {
      level: 'warn',
      message: 'queued events did not reach the log in time and are dropped',
      fields: expect.objectContaining(UNAVAILABLE),
    },
  ]);
});

test('a recovery after several failures is logged with their number', async () => {
  const { publisher, log, logger } = createRig();
  const run = await during(publisher.begin({ kind: 'agent', id: 'a1' }), 10);
  log.faults.isAway = true;
  void run.text('queued');
  await vi.advanceTimersByTimeAsync(1_000);
  log.faults.isAway = false;
  await vi.advanceTimersByTimeAsync(5_000);
  const recovery = logger.lines.find(({ level }) => level === 'info')!;
  expect(recovery.message).toBe('log available again');
  expect(recovery.fields).toMatchObject({ failures: expect.any(Number) });
  expect((recovery.fields as { failures: number }).failures).toBeGreaterThan(1);
});

test('an end that cannot be recorded logs the error of the store, when it times out and when the publisher closes', async () => {
  const { publisher, store, logger } = createRig({ endMs: 500, closeMs: 100 });
  const run = await during(publisher.begin({ kind: 'agent', id: 'a1' }), 10);
  store.isAway = true;
  expect(await during(run.complete('x'), 500)).toBe(false);
  await during(publisher.close(), 100);
  const lines = logger.lines.map(({ level, message, fields }) => [
    level,
    message,
    (fields as { err: unknown }).err,
  ]);
  const unavailable = expect.objectContaining({ code: 'SOURCE_UNAVAILABLE' });
  expect(lines).toEqual([
    ['warn', 'finish: store unavailable, retrying', unavailable],
    ['warn', 'end not recorded in time: retrying in the background', unavailable],
    ['error', 'publisher closed before the end was recorded', unavailable],
  ]);
});

test('abandoning an attempt that the store rejects logs the rejection', async () => {
  const { publisher, store, logger } = createRig();
  const run = await during(publisher.begin({ kind: 'agent', id: 'a1' }), 10);
  store.abandon = async () => {
    throw new ExecstreamError('FORBIDDEN', 'another tenant');
  };
  await during(run.abandon(new Error('this attempt failed')), 100);
  expect(logger.lines).toMatchObject([{ level: 'warn', fields: { err: { code: 'FORBIDDEN' } } }]);
});

test('a log and a store that stay unavailable are logged again every minute, and when they are available', async () => {
  const { publisher, log, store, logger } = createRig();
  const run = await during(publisher.begin({ kind: 'agent', id: 'a1' }), 10);
  log.faults.isAway = true;
  store.isAway = true;
  void run.text('queued');
  void run.status('WAITING');
  await vi.advanceTimersByTimeAsync(150_000);
  const count = (text: string) => logger.lines.filter(({ message }) => message === text).length;
  expect(count('log unavailable: queueing events and retrying')).toBe(3);
  expect(count('setStatus: store unavailable, retrying')).toBe(3);
  log.faults.isAway = false;
  store.isAway = false;
  await vi.advanceTimersByTimeAsync(10_000);
  expect([count('log available again'), count('setStatus: store available again')]).toEqual([1, 1]);
});
