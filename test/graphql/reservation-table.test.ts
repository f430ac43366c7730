// Reservations of the single connection mode: counted once, expired unless they are used, with bounded operations.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ANONYMOUS, type Caller } from '../../src/execution/permission.ts';
import { ReservationTable } from '../../src/graphql/reservation-table.ts';

const ANN: Caller = { id: 'ann' };
const BOB: Caller = { id: 'bob' };
const TOO_MANY = expect.objectContaining({ code: 'TOO_MANY_REQUESTS' });

const isPending = async (promise: Promise<void>) => {
  let pending = true;
  void promise.then(() => {
    pending = false;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return pending;
};

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('reservations', () => {
  test('of one caller are limited, and those of another caller count separately', () => {
    const table = new ReservationTable(2);
    table.reserve(ANN);
    table.reserve(ANN);
    expect(() => table.reserve(ANN)).toThrow(TOO_MANY);
    expect(() => table.reserve(ANN)).toThrow('the limit is 2 for one caller');
    table.reserve(BOB);
    table.release(ANN);
    table.reserve(ANN);
    expect(() => table.reserve(ANN)).toThrow(TOO_MANY);
  });

  test('of anonymous callers have no limit of their number', () => {
    const table = new ReservationTable(1);
    for (let i = 0; i < 5; i += 1) table.reserve(ANONYMOUS);
  });

  test('that wait for a connection are limited for the whole process', () => {
    const table = new ReservationTable(1);
    for (let i = 0; i < 10_000; i += 1) table.awaitConnection(`token-${i}`, () => {});
    expect(() => table.reserve(ANONYMOUS)).toThrow(expect.objectContaining({ code: 'CAPACITY' }));
    expect(() => table.reserve(ANONYMOUS)).toThrow('too many reservations without a connection');
    table.connect('token-0');
    table.reserve(ANONYMOUS);
  });

  test('expire after 30 s without a connection', () => {
    const table = new ReservationTable(1);
    const onExpired = vi.fn();
    table.awaitConnection('t', onExpired);
    vi.advanceTimersByTime(29_999);
    expect(onExpired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onExpired).toHaveBeenCalledOnce();
    expect(table.connect('t')).toBe(false);
  });

  test('do not expire once they have a connection', () => {
    const table = new ReservationTable(1);
    const onExpired = vi.fn();
    table.awaitConnection('t', onExpired);
    expect(table.connect('t')).toBe(true);
    vi.advanceTimersByTime(60_000);
    expect(onExpired).not.toHaveBeenCalled();
  });

  test('are not kept for a connection without one', () => {
    expect(new ReservationTable(1).connect('distinct')).toBe(false);
  });
});

describe('operations', () => {
  test('of one reservation are limited, and one that ended makes room', () => {
    const table = new ReservationTable(1);
    table.awaitConnection('t', () => {});
    for (let i = 0; i < 100; i += 1) expect(table.beginOperation('t')).toBe(true);
    expect(() => table.beginOperation('t')).toThrow(TOO_MANY);
    expect(() => table.beginOperation('t')).toThrow('the limit is 100 for one reservation');
    table.endOperation('t');
    expect(table.beginOperation('t')).toBe(true);
  });

  test('of an unknown token or a closed connection are not counted', () => {
    const table = new ReservationTable(1);
    expect(table.beginOperation('t')).toBe(false);
    table.endOperation('t');
    table.connect('t');
    expect(table.beginOperation('t')).toBe(true);
    table.disconnect('t');
    expect(table.beginOperation('t')).toBe(false);
  });

  test('keep their count when the reservation gets its connection', () => {
    const table = new ReservationTable(1);
    table.awaitConnection('t', () => {});
    for (let i = 0; i < 100; i += 1) table.beginOperation('t');
    table.connect('t');
    expect(() => table.beginOperation('t')).toThrow(TOO_MANY);
  });
});

describe('results', () => {
  test('wait while four are not written', async () => {
    const table = new ReservationTable(1);
    table.connect('t');
    for (let i = 0; i < 4; i += 1) expect(await isPending(table.room('t'))).toBe(false);
    const fifth = table.room('t');
    expect(await isPending(fifth)).toBe(true);
    table.resultWritten('t');
    expect(await isPending(fifth)).toBe(false);
  });

  test('stop waiting when the connection is closed, and never wait without one', async () => {
    const table = new ReservationTable(1);
    table.connect('t');
    for (let i = 0; i < 4; i += 1) await table.room('t');
    const fifth = table.room('t');
    table.disconnect('t');
    expect(await isPending(fifth)).toBe(false);
    expect(await isPending(table.room('t'))).toBe(false);
    table.resultWritten('t');
  });
});
