// Reasons that are shown to everyone name no host, user or row; the log gets every message of the chain.
import { expect, test } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { describeFailure, failureReasonOf } from '../../src/telemetry/failure-reason.ts';

const withCode = (code: string, message = 'secret') => Object.assign(new Error(message), { code });

test.each([
  [withCode('ENOTFOUND', 'getaddrinfo ENOTFOUND db.internal'), 'unknown host'],
  [withCode('28P01', 'password authentication failed for user "app"'), 'wrong password'],
  [withCode('3D000', 'database "app" does not exist'), 'no such database'],
  [withCode('SELF_SIGNED_CERT_IN_CHAIN'), 'TLS failed'],
  [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'TLS failed'],
  [new Error('The server does not support SSL connections'), 'TLS failed'],
  [new Error('WRONGPASS invalid username-password pair'), 'wrong user or password'],
  [new Error('NOAUTH Authentication required.'), 'a password is required'],
  [new Error('ERR DB index is out of range'), 'no such database'],
  [new AggregateError([withCode('ECONNREFUSED')], ''), 'connection refused'],
  [new Error('user app on db.internal'), undefined],
  ['text', undefined],
  [undefined, undefined],
])('the reason of %o', (cause, reason) => {
  expect(failureReasonOf(new ExecstreamError('SOURCE_UNAVAILABLE', 'unavailable', { cause }))).toBe(reason);
});

test('a description has the messages of all causes, without repetitions', () => {
  const root = new Error('connect ECONNREFUSED 10.0.0.7:6379');
  const outer = new Error('Redis is not available', { cause: new AggregateError([root], '') });
  expect(describeFailure(outer)).toMatch(/^Redis is not available: .*connect ECONNREFUSED 10\.0\.0\.7:6379$/);
  expect(describeFailure(new Error('a: b', { cause: new Error('b') }))).toBe('a: b');
  expect(describeFailure('text')).toBe('text');
  const loop = new Error('loop');
  loop.cause = loop;
  expect(describeFailure(loop)).toBe('loop');
});
