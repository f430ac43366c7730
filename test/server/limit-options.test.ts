// Limits that an embedding application passes: each that is left out has its default, and a mistake is an error.
import { expect, test } from 'vitest';
import { DEFAULT_SERVER_LIMITS, resolveLimits } from '../../src/server/limits.ts';

test('limits that are left out or undefined have their defaults', () => {
  expect(resolveLimits()).toEqual(DEFAULT_SERVER_LIMITS);
  const limits = resolveLimits({ streams: { perCaller: 3, perNode: undefined }, maxBodyBytes: undefined });
  expect(limits).toEqual({
    ...DEFAULT_SERVER_LIMITS,
    streams: { ...DEFAULT_SERVER_LIMITS.streams, perCaller: 3 },
  });
});

test.each([
  [{ streams: { perCaler: 3 } }, 'limits.streams.perCaler: there is no such limit'],
  [{ bodyBytes: 3 }, 'limits.bodyBytes: there is no such limit'],
  [{ maxBodyBytes: '1mb' }, 'limits.maxBodyBytes: expected a number, got 1mb'],
  [{ maxBodyBytes: Number.NaN }, 'limits.maxBodyBytes: expected a number, got NaN'],
  [{ query: { depth: -1 } }, 'limits.query.depth: expected a number, got -1'],
  [{ query: 10 }, 'limits.query: expected an object, got 10'],
  [{ query: null }, 'limits.query: expected an object, got null'],
  [{ maxBodyBytes: null }, 'limits.maxBodyBytes: expected a number, got null'],
])('%j is rejected', (options, message) => {
  expect(() => resolveLimits(options as never)).toThrow(message);
});
