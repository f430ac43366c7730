// The judge itself: it reports broken rules, and accepts valid responses.
import { expect, test } from 'vitest';
import type { Exchange, HttpResponse } from './exchange.ts';
import { type HostileInput, requestBytes } from './inputs/input.ts';
import { breachesOf, MARKER } from './judge.ts';

const input = (api: HostileInput['api'] = 'rest', more: Partial<HostileInput> = {}): HostileInput => ({
  ...{ kind: 'test', api, pieces: [requestBytes({})] },
  ...more,
});

function exchangeOf(status: number, body: string, type: string, more: Partial<Exchange> = {}): Exchange {
  const response: HttpResponse = {
    status,
    body,
    headers: new Map([['content-type', type]]),
    isComplete: true,
  };
  return { responses: [response], rest: '', text: body, ended: 'by server', ...more };
}

const problem = (status: number, code: string) =>
  exchangeOf(
    status,
    JSON.stringify({ type: 'about:blank', title: 'T', status, detail: 'd', code }),
    'application/problem+json',
  );
const errors = (code: string) =>
  exchangeOf(200, JSON.stringify({ errors: [{ message: 'm', extensions: { code } }] }), 'application/json');
const silent: Exchange = { responses: [], rest: '', text: '', ended: 'by server' };

test.each<[name: string, pattern: RegExp, HostileInput, Exchange]>([
  ['a 500', /^500/, input(), problem(500, 'INTERNAL')],
  ['a 503 without Retry-After', /Retry-After/, input(), problem(503, 'SOURCE_UNAVAILABLE')],
  [
    'an error that is not a problem document',
    /expected a problem/,
    input(),
    exchangeOf(400, 'Bad', 'text/plain'),
  ],
  ['a GraphQL error INTERNAL', /INTERNAL/, input('graphql'), errors('INTERNAL')],
  ['an unknown code', /NOPE/, input('graphql'), errors('NOPE')],
  [
    'an error INTERNAL in a stream',
    /INTERNAL/,
    input('graphql'),
    exchangeOf(
      200,
      ':\n\nevent: next\ndata: {"errors":[{"message":"m","extensions":{"code":"INTERNAL"}}]}\n\n',
      'text/event-stream; charset=utf-8',
    ),
  ],
  [
    'an error INTERNAL in a part',
    /INTERNAL/,
    input('graphql'),
    exchangeOf(
      200,
      '--graphql\r\nContent-Type: application/json\r\n\r\n{"payload":{"errors":[{"message":"m","extensions":{"code":"INTERNAL"}}]}}\r\n--graphql--',
      'multipart/mixed; boundary="graphql"',
    ),
  ],
  [
    'a GraphQL error without a code',
    /undefined/,
    input('graphql'),
    exchangeOf(400, '{"errors":[{"message":"m"}]}', 'application/json'),
  ],
  [
    'content of another tenant',
    /another tenant/,
    input(),
    exchangeOf(200, `{"a":"${MARKER}"}`, 'application/json'),
  ],
  ['a stack trace', /stack/, input(), exchangeOf(200, 'Error: x\n    at f (a.js:1:2)', 'text/plain')],
  ['a path of the machine', /path/, input(), exchangeOf(200, import.meta.dirname, 'text/plain')],
  [
    'two responses to one request',
    /2 responses/,
    input(),
    { ...silent, responses: [...problem(404, 'N').responses, ...problem(404, 'N').responses] },
  ],
  ['an unexpected response', /was accepted/, input('rest', { expects: () => 'was accepted' }), silent],
  ['a hanging connection', /hung/, input(), { ...silent, ended: 'hung' }],
  ['a close without a response to a well-formed request', /without a response/, input(), silent],
])('%s is reported', (_, pattern, sent, exchange) => {
  expect(breachesOf(sent, exchange).join('\n')).toMatch(pattern);
});

test.each<[name: string, HostileInput, Exchange]>([
  ['a problem', input(), problem(404, 'NOT_FOUND')],
  ['a rejection by GraphQL', input('graphql'), errors('BAD_USER_INPUT')],
  ['an Accept header without a type of ours', input('graphql'), errors('NOT_ACCEPTABLE')],
  [
    'a rejection with line breaks that JSON does not escape',
    input('graphql'),
    exchangeOf(
      200,
      JSON.stringify({ errors: [{ message: '\u2028 \u2029', extensions: { code: 'BAD_USER_INPUT' } }] }),
      'application/json',
    ),
  ],
  ['a closed connection after invalid HTTP', input('http', { isBroken: true }), silent],
])('%s is accepted', (_, sent, exchange) => {
  expect(breachesOf(sent, exchange)).toEqual([]);
});
