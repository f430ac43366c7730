// The judge itself: what must not pass does not, and what may does.
import { expect, test } from 'vitest';
import type { Answer, Exchange } from './exchange.ts';
import { type HostileInput, requestBytes } from './inputs/input.ts';
import { breachesOf, MARKER } from './judge.ts';

const input = (api: HostileInput['api'] = 'rest', more: Partial<HostileInput> = {}): HostileInput => ({
  ...{ kind: 'test', api, pieces: [requestBytes({})] },
  ...more,
});

function answered(status: number, body: string, type: string, more: Partial<Exchange> = {}): Exchange {
  const answer: Answer = { status, body, headers: new Map([['content-type', type]]), isWhole: true };
  return { answers: [answer], rest: '', text: body, ended: 'by server', ...more };
}

const problem = (status: number, code: string) =>
  answered(
    status,
    JSON.stringify({ type: 'about:blank', title: 'T', status, detail: 'd', code }),
    'application/problem+json',
  );
const errors = (code: string) =>
  answered(200, JSON.stringify({ errors: [{ message: 'm', extensions: { code } }] }), 'application/json');
const silent: Exchange = { answers: [], rest: '', text: '', ended: 'by server' };

test.each<[why: string, found: RegExp, HostileInput, Exchange]>([
  ['a 500', /^500/, input(), problem(500, 'INTERNAL')],
  ['a 503 that does not say when to come back', /Retry-After/, input(), problem(503, 'SOURCE_UNAVAILABLE')],
  ['an error that is no problem', /no problem/, input(), answered(400, 'Bad', 'text/plain')],
  ['INTERNAL of GraphQL', /INTERNAL/, input('graphql'), errors('INTERNAL')],
  ['a code that nobody knows', /NOPE/, input('graphql'), errors('NOPE')],
  [
    'INTERNAL in a stream',
    /INTERNAL/,
    input('graphql'),
    answered(
      200,
      ':\n\nevent: next\ndata: {"errors":[{"message":"m","extensions":{"code":"INTERNAL"}}]}\n\n',
      'text/event-stream; charset=utf-8',
    ),
  ],
  ['a byte of tenant B', /another tenant/, input(), answered(200, `{"a":"${MARKER}"}`, 'application/json')],
  ['a stack', /stack/, input(), answered(200, 'Error: x\n    at f (a.js:1:2)', 'text/plain')],
  ['a path', /path/, input(), answered(200, import.meta.dirname, 'text/plain')],
  [
    'two answers for one',
    /2 answers/,
    input(),
    { ...silent, answers: [...problem(404, 'N').answers, ...problem(404, 'N').answers] },
  ],
  [
    'an answer that is not what was expected',
    /was accepted/,
    input('rest', { expects: () => 'was accepted' }),
    silent,
  ],
  ['silence', /hung/, input(), { ...silent, ended: 'hung' }],
  ['no answer to what is well-formed', /without an answer/, input(), silent],
])('%s does not pass', (_, found, sent, exchange) => {
  expect(breachesOf(sent, exchange).join('\n')).toMatch(found);
});

test.each<[why: string, HostileInput, Exchange]>([
  ['a problem', input(), problem(404, 'NOT_FOUND')],
  ['a refusal of GraphQL', input('graphql'), errors('BAD_USER_INPUT')],
  [
    'a refusal that repeats line breaks which JSON does not escape',
    input('graphql'),
    answered(
      200,
      JSON.stringify({ errors: [{ message: '\u2028 \u2029', extensions: { code: 'BAD_USER_INPUT' } }] }),
      'application/json',
    ),
  ],
  ['a closed connection, where HTTP is broken', input('http', { isBroken: true }), silent],
])('%s passes', (_, sent, exchange) => {
  expect(breachesOf(sent, exchange)).toEqual([]);
});
