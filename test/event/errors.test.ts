// The table of error codes, and what an error keeps.
import { expect, test } from 'vitest';
import {
  ERROR_CODES,
  type ErrorCode,
  ExecstreamError,
  invalidInput,
  isErrorCode,
  isExecstreamError,
} from '../../src/event/errors.ts';

test('a code is retryable exactly if its status says that the request may be repeated', () => {
  const retryable = Object.entries(ERROR_CODES).filter(([, code]) => code.retryable);
  expect(new Set(retryable.map(([, { status }]) => status))).toEqual(new Set([429, 503]));
  const others = Object.values(ERROR_CODES).filter((code) => !code.retryable);
  expect(others.some(({ status }) => status === (429 as number) || status === (503 as number))).toBe(false);
});

test('an error has the retryability of its code, and keeps its cause', () => {
  const cause = new Error('connect ECONNREFUSED');
  const error = new ExecstreamError('SOURCE_UNAVAILABLE', 'Redis is unavailable', { cause });
  expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', retryable: true, cause });
  expect(new ExecstreamError('ENDED', 'the execution has ended').retryable).toBe(false);
});

test.each([
  ['a code', 'CAPACITY', true],
  ['another word', 'OUT_OF_MILK', false],
  ['a name that every object has', 'toString', false],
  ['no string', 503, false],
  ['an array that is written like a code', ['CAPACITY'], false],
  ['nothing', undefined, false],
])('isErrorCode: %s', (_, code, expected) => {
  expect(isErrorCode(code)).toBe(expected);
});

test('isExecstreamError checks the class, and the code if one is given', () => {
  const error = new ExecstreamError('CONFIG', 'PORT: expected 0 to 65535, got 70000');
  expect(isExecstreamError(error)).toBe(true);
  expect(isExecstreamError(error, 'CONFIG')).toBe(true);
  expect(isExecstreamError(error, 'INTERNAL' satisfies ErrorCode)).toBe(false);
  expect(isExecstreamError(new Error('CONFIG'), 'CONFIG')).toBe(false);
});

test('invalidInput makes an error with the code BAD_USER_INPUT, and keeps the cause', () => {
  const cause = new SyntaxError('Unexpected token');
  const error = invalidInput('pollMs: expected an integer, got 1.5', { cause });
  expect(error).toBeInstanceOf(ExecstreamError);
  expect(error).toMatchObject({
    name: 'ExecstreamError',
    code: 'BAD_USER_INPUT',
    message: 'pollMs: expected an integer, got 1.5',
    cause,
  });
});
