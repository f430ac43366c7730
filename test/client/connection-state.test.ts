// The rules of the connection's state machine, without a clock or a network.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ConnectionInput,
  type ConnectionMachine,
  INITIAL_MACHINE,
  isFinalState,
  isOpen,
  transition,
} from '../../src/client/connection-state.ts';
import { ERROR_CODES, type ErrorCode, ExecstreamError } from '../../src/event/errors.ts';
import { propertyRuns } from '../support/property-runs.ts';

const BACKOFF = { firstMs: 1_000, maxMs: 30_000 };
const LOST = new Error('socket hang up');

function advance(machine: ConnectionMachine, input: ConnectionInput, now = 0, random = 1): ConnectionMachine {
  return transition(machine, input, { now, random, backoff: BACKOFF });
}

function reached(...inputs: ConnectionInput[]): ConnectionMachine {
  return inputs.reduce((machine, input) => advance(machine, input), INITIAL_MACHINE);
}

const cut = (error: unknown = LOST, canRenewToken = false): ConnectionInput => ({
  type: 'cut',
  error,
  canRenewToken,
});
const rejected = (code: ErrorCode, retryAfterSeconds?: number) =>
  cut(new ExecstreamError(code, 'no', retryAfterSeconds === undefined ? {} : { retryAfterSeconds }), true);

const OPENED: ConnectionInput = { type: 'opened' };
const RECEIVED: ConnectionInput = { type: 'received' };

const ERRORS = (Object.keys(ERROR_CODES) as ErrorCode[]).map((code) => rejected(code));
const inputs: fc.Arbitrary<ConnectionInput> = fc.oneof(
  fc.constantFrom<ConnectionInput>(
    OPENED,
    RECEIVED,
    { type: 'due' },
    { type: 'wake' },
    { type: 'hide' },
    { type: 'end' },
    { type: 'close' },
    cut(),
    ...ERRORS,
  ),
  fc.record({ type: fc.constant('retry' as const), ms: fc.nat({ max: 1e12 }) }),
);
const steps = fc.array(fc.tuple(inputs, fc.nat(60_000), fc.double({ min: 0, max: 1, noNaN: true })), {
  maxLength: 40,
});

describe('a connection', () => {
  test('is connecting, live, and waiting with the reason and the time of the next attempt', () => {
    expect(INITIAL_MACHINE.connection).toEqual({ status: 'connecting' });
    const live = advance(INITIAL_MACHINE, OPENED, 5);
    expect(live.connection).toEqual({ status: 'live' });
    const waiting = advance(live, cut(), 100, 0.5);
    expect(waiting.connection).toEqual({ status: 'waiting', reason: 'socket hang up', retryAt: 600 });
    expect(advance(waiting, { type: 'due' }, 599)).toBe(waiting);
    expect(advance(waiting, { type: 'due' }, 600).connection).toEqual({ status: 'connecting' });
  });

  test('doubles the limit of the random delay from 1 s to 30 s', () => {
    let machine = INITIAL_MACHINE;
    const limits: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      machine = advance(machine, cut());
      const { retryAt } = machine.connection as { retryAt: number };
      limits.push(retryAt);
      machine = advance(machine, { type: 'due' }, retryAt);
    }
    expect(limits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('begins with the first delay again after an event, but not after an accepted request alone', () => {
    const again = advance({ ...INITIAL_MACHINE, failures: 2 }, OPENED, 9_000);
    expect(advance(again, cut(), 9_000).connection).toMatchObject({ retryAt: 13_000 });
    expect(advance(advance(again, RECEIVED), cut(), 9_000).connection).toMatchObject({ retryAt: 10_000 });
  });

  test('begins with the first delay again after a connection that lasted longer than the longest delay', () => {
    const live = { ...INITIAL_MACHINE, connection: { status: 'live' as const }, failures: 4, liveSince: 0 };
    expect(advance(live, cut(), 30_000).connection).toMatchObject({ retryAt: 60_000 - 14_000 });
    expect(advance(live, cut(), 30_001).connection).toMatchObject({ retryAt: 31_001 });
  });

  test('waits for the time of `retry:`, and a random delay after it', () => {
    const live = reached(OPENED, { type: 'retry', ms: 5_000 });
    expect(advance(live, cut(), 0, 0).connection).toMatchObject({ retryAt: 5_000 });
    expect(advance(live, cut(), 0, 1).connection).toMatchObject({ retryAt: 6_000 });
  });

  test.each<ErrorCode>([
    'TOO_MANY_STREAMS',
    'TOO_MANY_REQUESTS',
    'CAPACITY',
    'SOURCE_UNAVAILABLE',
    'LOG_CORRUPT',
    'INTERNAL',
  ])('retries after %s, not before Retry-After', (code) => {
    const { connection } = advance(INITIAL_MACHINE, rejected(code, 7), 0, 0.5);
    expect(connection).toEqual({ status: 'waiting', reason: 'no', retryAt: 7_500 });
  });

  test.each<ErrorCode>(['NOT_FOUND', 'FORBIDDEN', 'BAD_CURSOR', 'BAD_USER_INPUT', 'CONFIG'])(
    'fails after %s, with the error',
    (code) => {
      const { connection } = advance(INITIAL_MACHINE, rejected(code));
      expect(connection).toEqual({
        status: 'failed',
        reason: 'no',
        error: expect.objectContaining({ code }),
      });
    },
  );

  test('repeats a request with a new token once, and fails if that is rejected as well', () => {
    const renewed = advance(INITIAL_MACHINE, rejected('UNAUTHENTICATED'));
    expect(renewed.connection).toEqual({ status: 'connecting' });
    expect(renewed.connection).not.toBe(INITIAL_MACHINE.connection);
    expect(advance(renewed, rejected('UNAUTHENTICATED')).connection.status).toBe('failed');
    // An event proves that the new token was accepted: it may expire later.
    const used = advance(advance(renewed, OPENED), RECEIVED);
    expect(advance(used, rejected('UNAUTHENTICATED')).connection.status).toBe('connecting');
    // So does nothing else, but the token is renewed before each attempt: a later 401 is another one.
    const later = advance(advance(renewed, cut()), { type: 'due' }, 90_000);
    expect(advance(later, rejected('UNAUTHENTICATED')).connection.status).toBe('connecting');
  });

  test('fails after 401 if its token cannot be renewed', () => {
    const error = new ExecstreamError('UNAUTHENTICATED', 'no');
    expect(advance(INITIAL_MACHINE, cut(error, false)).connection.status).toBe('failed');
  });

  test('connects immediately when the page is used again, but not before the time that the server set', () => {
    const waiting = advance(INITIAL_MACHINE, cut(), 100);
    expect(advance(waiting, { type: 'wake' }, 200).connection).toMatchObject({ retryAt: 200 });
    const limited = advance(INITIAL_MACHINE, rejected('TOO_MANY_STREAMS', 5), 100);
    expect(advance(limited, { type: 'wake' }, 200).connection).toMatchObject({ retryAt: 5_100 });
    expect(advance(advance(INITIAL_MACHINE, OPENED), { type: 'wake' }).connection.status).toBe('live');
  });

  test('waits without a time while the page is hidden', () => {
    const hidden = reached(OPENED, { type: 'hide' });
    expect(hidden.connection).toEqual({ status: 'waiting', reason: 'the page is hidden' });
    expect(advance(hidden, { type: 'due' }, 1e15)).toBe(hidden);
    const awake = advance(hidden, { type: 'wake' }, 50);
    expect(advance(awake, { type: 'due' }, 50).connection.status).toBe('connecting');
  });

  test('has ended at the end of the execution, and with a reason if it was closed', () => {
    expect(reached(OPENED, { type: 'end' }).connection).toEqual({ status: 'ended' });
    expect(reached(OPENED, { type: 'close' }).connection).toEqual({ status: 'ended', reason: 'closed' });
  });

  test('never throws, keeps a final state, waits until a time that a timer can reach, and fails by a rejection only', () => {
    fc.assert(
      fc.property(steps, (list) => {
        let machine = INITIAL_MACHINE;
        let now = 0;
        for (const [input, ms, random] of list) {
          const before = machine;
          now += ms;
          machine = advance(machine, input, now, random);
          const { connection } = machine;
          if (isFinalState(before.connection)) expect(machine).toBe(before);
          if (connection.status === 'failed' && before.connection.status !== 'failed') {
            expect(input).toMatchObject({ type: 'cut', error: { code: expect.any(String) } });
          }
          if (connection.status === 'waiting' && connection.retryAt !== undefined) {
            expect(connection.retryAt - now).toBeLessThan(2 ** 31);
            expect(connection.retryAt).toBeGreaterThanOrEqual(machine.notBefore);
          }
          expect(isOpen(connection) && isFinalState(connection)).toBe(false);
        }
      }),
      { numRuns: propertyRuns(1_000) },
    );
  });
});
