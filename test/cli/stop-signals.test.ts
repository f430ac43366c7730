// Which signal does what: the first one drains, the second one changes nothing, and the third one or the deadline ends
// the process.
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { stopOnSignals } from '../../src/cli/stop-signals.ts';
import { startProcess } from '../server/process.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { describeOwnRedis, startRedis } from '../support/redis.ts';

describe('in one process', () => {
  const logger = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  const stop = vi.fn(() => new Promise<void>(() => {}));
  const force = vi.fn();
  const before = { SIGTERM: process.listeners('SIGTERM'), SIGINT: process.listeners('SIGINT') };
  const install = (isCounting = true) =>
    stopOnSignals({ logger: logger as never, stop, force, deadlineMs: 20_000, isCounting });
  const send = (signal: 'SIGTERM' | 'SIGINT', afterMs = 200) => {
    vi.advanceTimersByTime(afterMs);
    process.emit(signal);
  };

  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.clearAllMocks();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const added = process.listeners(signal).filter((listener) => !before[signal].includes(listener));
      for (const listener of added) process.off(signal, listener);
    }
  });

  test('the second signal changes nothing, and the third one forces', () => {
    install();
    send('SIGTERM');
    send('SIGINT');
    expect([stop.mock.calls.length, force.mock.calls.length]).toEqual([1, 0]);
    send('SIGTERM');
    expect([stop.mock.calls.length, force.mock.calls.length]).toEqual([1, 1]);
  });

  test('signals that arrive together are one request', () => {
    install();
    for (let i = 0; i < 10; i += 1) send(i % 2 ? 'SIGTERM' : 'SIGINT', 10);
    expect([stop.mock.calls.length, force.mock.calls.length]).toEqual([1, 0]);
  });

  test('a worker does not count signals, and is limited by the deadline', () => {
    install(false);
    for (let i = 0; i < 10; i += 1) send('SIGTERM');
    expect([stop.mock.calls.length, force.mock.calls.length]).toEqual([1, 0]);
    vi.advanceTimersByTime(20_000);
    expect(force).toHaveBeenCalledOnce();
    expect(logger.error).toHaveBeenCalledWith(
      { deadlineMs: 20_000 },
      'not stopped within the deadline; exiting',
    );
  });

  test('a stop that fails forces, with its error in the log', async () => {
    stop.mockRejectedValueOnce(new Error('no'));
    install();
    send('SIGTERM');
    await vi.advanceTimersByTimeAsync(0);
    expect(force).toHaveBeenCalledOnce();
    expect(logger.error).toHaveBeenCalledWith({ err: expect.any(Error) }, 'stopping failed; exiting');
  });
});

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    test.each(['command', 'workers'] as const)(
      'the third signal ends a server that waits for a request (%s)',
      async (entry) => {
        await using redis = await startRedis();
        await using database = await createDatabase();
        const env = { REDIS_URL: redis.url, DATABASE_URL: database.url, DRAIN_MS: '60000' };
        await using server = await startProcess(env, entry);
        // A request whose body does not arrive.
        const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {});
        socket.write('POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n');
        await new Promise((resolve) => socket.write('x', resolve));
        await delay(500);
        let ended: string | undefined;
        void server.exited.then((how) => {
          ended = how;
        });
        process.kill(server.pid, 'SIGTERM');
        await delay(300);
        process.kill(server.pid, 'SIGINT');
        await delay(1_000);
        expect(ended).toBeUndefined();
        process.kill(server.pid, 'SIGTERM');
        expect(await server.exited).toBe('code 1');
        expect(server.printed()).toContain('exiting without waiting for streams');
        socket.destroy();
      },
      120_000,
    );
  });
});
