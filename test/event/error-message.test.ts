// The messages of whatever can be thrown.
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { codeOf, messageOf } from '../../src/event/error-message.ts';
import { ExecstreamError } from '../../src/event/errors.ts';

const circular: { [key: string]: unknown } = { step: 'load' };
circular.self = circular;
const ownCause = new Error('own cause');
ownCause.cause = ownCause;
const throwing = Object.defineProperty(new Error('read me'), 'cause', {
  get: () => {
    throw new Error('a getter');
  },
});
const noMessage = Object.defineProperty(new TypeError('hidden'), 'message', {
  get: () => {
    throw new Error('a getter');
  },
});
const revoked = Proxy.revocable({}, {});
const unreadable = new Proxy(
  {},
  {
    get() {
      throw new Error('trap');
    },
  },
);
revoked.revoke();
class Rejection {
  readonly code = 'E_REJECTED';
}
class Printed {
  toString = () => 'it prints itself';
}

test.each([
  ['an Error', new Error('no'), 'no'],
  ['a string', 'no', 'no'],
  ['an empty string', '', 'unknown error (an empty string)'],
  ['undefined', undefined, 'unknown error (undefined)'],
  ['null', null, 'unknown error (null)'],
  ['a number', 42, '42'],
  ['a BigInt', 42n, '42'],
  ['a symbol', Symbol('stop'), 'Symbol(stop)'],
  ['a class', TypeError, 'TypeError'],
  ['an Error of another realm', runInNewContext('new Error("elsewhere")'), 'elsewhere'],
  ['an object with a message', { message: 'no', code: 1 }, 'no'],
  ['the body of a response', { error: { message: 'quota exceeded', type: 'quota' } }, 'quota exceeded'],
  ['an error with a text', { error: 'quota exceeded' }, 'quota exceeded'],
  ['a problem document', { title: 'Bad Request', status: 400, detail: 'no model' }, 'no model'],
  ['a settled promise', { status: 'rejected', reason: new Error('no') }, 'no'],
  ['a result of GraphQL', { errors: [{ message: 'a' }, { message: 'b' }] }, 'a; b'],
  ['a response', new Response(null, { status: 503 }), 'Response (503)'],
  ['a plain object', { step: 'load', at: 3 }, '{"step":"load","at":3}'],
  ['an empty object', {}, 'Object without a message'],
  ['an object without a prototype', Object.create(null), 'object without a message'],
  ['a circular object', circular, 'an object with the fields step, self'],
  ['an object with a BigInt', { id: 1n }, 'an object with the fields id'],
  ['an object that prints itself', new Printed(), 'it prints itself'],
  ['an instance without a message', new Rejection(), '{"code":"E_REJECTED"}'],
  ['a list', [new Error('a'), 'b'], 'a; b'],
  ['an Error without a message', new Error(), 'Error without a message'],
  ['a TypeError without a message', new TypeError(), 'TypeError without a message'],
  ['an Error with a code only', Object.assign(new Error(), { code: 'ECONNRESET' }), 'Error (ECONNRESET)'],
  ['an Error made of an object', new Error({ a: 1 } as never), 'Error without a message'],
  ['an Error whose message is an object', Object.assign(new Error(), { message: { detail: 'no' } }), 'no'],
  [
    'a cause',
    new Error('fetch failed', { cause: new Error('connect ECONNREFUSED') }),
    'fetch failed: connect ECONNREFUSED',
  ],
  ['a cause that is quoted', new Error('load: no route', { cause: new Error('no route') }), 'load: no route'],
  ['a cause that is an object', new Error('failed', { cause: { error: { message: 'no' } } }), 'failed: no'],
  ['only a cause', new Error('', { cause: new Error('no') }), 'no'],
  ['an AggregateError', new AggregateError([new Error('a'), new Error('b')]), 'a; b'],
  ['an AggregateError with a message', new AggregateError([new Error('no')], 'all failed'), 'all failed: no'],
  ['many errors', new AggregateError([1, 2, 3, 4, 5], 'all failed'), 'all failed: 1; 2; 3; 2 more'],
  ['its own cause', ownCause, 'own cause'],
  ['a cause whose getter throws', throwing, 'read me'],
  ['a message whose getter throws', noMessage, 'TypeError without a message'],
  ['a revoked proxy', revoked.proxy, 'unprintable error'],
  ['a proxy that throws, without fields', unreadable, 'object without a message'],
])('messageOf: %s', (_, thrown, message) => {
  expect(messageOf(thrown)).toBe(message);
});

test('the message of an ExecstreamError does not contain its cause, which is for the log', () => {
  const cause = new Error('password authentication failed for 10.0.0.7');
  expect(messageOf(new ExecstreamError('SOURCE_UNAVAILABLE', 'no database', { cause }))).toBe('no database');
});

test('causes are followed to a limited depth, and a printed object is truncated', () => {
  let error = new Error('level 0');
  for (let i = 1; i < 100; i += 1) error = new Error(`level ${i}`, { cause: error });
  expect(messageOf(error)).toBe('level 99: level 98: level 97: level 96: level 95: level 94');
  expect(messageOf({ rows: 'x'.repeat(100_000) }).length).toBeLessThan(2_100);
});

test.each([
  ['a text', { code: 'E_MODEL' }, 'E_MODEL'],
  ['a number, as in a DOMException', { code: 20 }, undefined],
  ['an empty text', { code: '' }, undefined],
  [
    'a getter that throws',
    Object.defineProperty({}, 'code', {
      get: () => {
        throw new Error('no');
      },
    }),
    undefined,
  ],
  ['nothing', undefined, undefined],
])('codeOf: %s', (_, thrown, code) => {
  expect(codeOf(thrown)).toBe(code);
});
