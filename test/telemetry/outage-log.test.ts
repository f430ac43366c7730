// An outage is logged when it begins, every minute while it lasts, and when it ends.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPartWatch } from '../../src/server/part-watch.ts';
import { OutageLog } from '../../src/telemetry/outage-log.ts';

let lines: string[];
const logger = {
  info: (_: object, message: string) => void lines.push(`info ${message}`),
  error: (_: object, message: string) => void lines.push(`error ${message}`),
};
beforeEach(() => {
  lines = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('an outage is logged at its start, once a minute and at its end, with the current cause', () => {
  const outages = new OutageLog('log', logger);
  outages.succeeded();
  for (let s = 0; s < 130; s += 5) {
    outages.failed(new Error(s < 60 ? 'first cause' : 'second cause'));
    vi.advanceTimersByTime(5_000);
  }
  outages.succeeded();
  outages.succeeded();
  expect(lines).toEqual([
    'error log unavailable: first cause',
    'error log still unavailable after 60 s: second cause',
    'error log still unavailable after 120 s: second cause',
    'info log available again after 130 s',
  ]);
});

test('the parts are checked every 5 s, without a probe, until the watch is stopped', async () => {
  let isAway = true;
  const fail = async () => {
    if (isAway) throw new Error('away');
  };
  const stop = createPartWatch({ log: fail, database: async () => {} }, logger).start();
  await vi.advanceTimersByTimeAsync(0);
  isAway = false;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(lines).toEqual(['error log unavailable: away', 'info log available again after 5 s']);
  isAway = true;
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lines).toHaveLength(2);
});

test('requests that fail although every check succeeds are logged, until none has failed for a minute', async () => {
  const watch = createPartWatch({ log: async () => {}, database: async () => {} }, logger);
  const stop = watch.start();
  for (let i = 0; i < 3; i += 1) watch.onUnavailable(new Error('disk full'));
  await vi.advanceTimersByTimeAsync(59_000);
  expect(lines).toEqual(['error requests fail: disk full']);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(lines[1]).toMatch(/^info requests succeed again after \d+ s$/);
  stop();
});

test('requests that fail because of a part whose outage is logged cause no line', async () => {
  const away = () => Promise.reject(new Error('away'));
  const watch = createPartWatch({ log: away, database: async () => {} }, logger);
  watch.onUnavailable(new Error('away'));
  await vi.advanceTimersByTimeAsync(0);
  expect(lines).toEqual(['error log unavailable: away']);
});
