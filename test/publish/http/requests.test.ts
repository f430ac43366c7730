// Requests to a server: their contents, the error that each response is, pauses, and the token.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRequests, type RequestsOptions } from '../../../src/publish/http/requests.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-01T00:00:00Z') }));
afterEach(() => void vi.useRealTimers());

type Respond = () => Response | Promise<Response>;

/** Requests that get these responses, one after the other; the last one is repeated. */
function requestsTo(responses: Respond[], options: Partial<RequestsOptions> = {}) {
  const sent: { url: string; init: RequestInit }[] = [];
  const fetch = async (url: unknown, init: RequestInit = {}) => {
    sent.push({ url: String(url), init });
    return responses[Math.min(sent.length, responses.length) - 1]!();
  };
  const all = { url: 'https://s', token: undefined, fetch, callMs: 1_000, ...options };
  const send = createRequests(all as RequestsOptions);
  return { sent, post: (body = '{}') => send({ method: 'POST', path: '/p', headers: { K: 'v' }, body }) };
}

const ok: Respond = () => Response.json({ head: 1 });
const status =
  (code: number, body: BodyInit | null = null, headers = {}): Respond =>
  () =>
    new Response(body, { status: code, headers });
const problem = (code: number, name: string, headers = {}) =>
  status(code, JSON.stringify({ code: name, detail: `a ${name}` }), headers);
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error) => error,
  );

test('a request has its path, headers and body, follows no redirect, and has a timeout', async () => {
  const { sent, post } = requestsTo([ok], { token: 't1' });
  expect(await post('{"a":1}')).toEqual({ head: 1 });
  expect(sent).toMatchObject([
    {
      url: 'https://s/p',
      init: {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: 'Bearer t1', K: 'v' },
        body: '{"a":1}',
        redirect: 'manual',
        signal: expect.any(AbortSignal),
      },
    },
  ]);
});

test('without a token there is no Authorization', async () => {
  const { sent, post } = requestsTo([ok]);
  await post();
  expect(sent[0]!.init.headers).not.toHaveProperty('Authorization');
});

describe('the error', () => {
  test('of a request without a response names the server and the cause', async () => {
    const cause = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
    const error = await errorOf(requestsTo([() => Promise.reject(cause)]).post());
    expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', cause });
    expect(error.message).toMatch(/^no response from https:\/\/s: .*ECONNREFUSED/);
  });

  test('of a response that was cut off says so', async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('terminated')) });
    const error = await errorOf(requestsTo([status(200, body)]).post());
    expect(error).toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: 'the response was cut off: terminated',
    });
  });

  test.each([
    [200, 'SOURCE_UNAVAILABLE'],
    [400, 'BAD_USER_INPUT'],
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
    [404, 'NOT_FOUND'],
    [405, 'NOT_FOUND'],
    [413, 'EVENT_TOO_LARGE'],
    [415, 'BAD_USER_INPUT'],
    [421, 'FORBIDDEN'],
    [422, 'BAD_USER_INPUT'],
    [418, 'SOURCE_UNAVAILABLE'],
    [500, 'SOURCE_UNAVAILABLE'],
    [502, 'SOURCE_UNAVAILABLE'],
  ])('of a response %i that is not of a server is %s', async (code, expected) => {
    expect(await errorOf(requestsTo([status(code, '<html>')]).post())).toMatchObject({
      code: expected,
      message: `${code} from https://s/p, without an error of execstream`,
    });
  });

  test.each([
    [300, {}, ''],
    [301, { Location: 'https://login/' }, ': it redirects to https://login/'],
    [399, {}, ''],
  ])('of a redirect %i names its target', async (code, headers, hint) => {
    expect(await errorOf(requestsTo([status(code, null, headers)]).post())).toMatchObject({
      code: 'CONFIG',
      message: `url: expected that of an execstream server, got https://s/p${hint}`,
    });
  });

  test.each([
    [{ code: 'SUPERSEDED', detail: 'at attempt 2' }, 'SUPERSEDED', 'at attempt 2'],
    [{ code: 'SUPERSEDED', detail: 7 }, 'SUPERSEDED', '409 from https://s/p'],
    [{ code: 'OTHER', detail: 'x' }, 'SOURCE_UNAVAILABLE', /^409 from https:\/\/s\/p, without/],
    ['text', 'SOURCE_UNAVAILABLE', /^409 from https:\/\/s\/p, without/],
    [null, 'SOURCE_UNAVAILABLE', /^409 from https:\/\/s\/p, without/],
  ])('of the body %j is the server’s, if it has one', async (body, code, message) => {
    const error = await errorOf(requestsTo([status(409, JSON.stringify(body))]).post());
    expect(error.code).toBe(code);
    expect(error.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  test.each([
    ['7', 7],
    ['07', 7],
    ['59', 59],
    ['61', 60],
    ['0', 0],
    ['Sun, 01 Nov 2026 00:00:07 GMT', 7],
    ['Sat, 31 Oct 2026 23:59:00 GMT', 0],
    ['Sun, 01 Nov 2026 01:00:00 GMT', 60],
    ['soon', undefined],
    ['7x', undefined],
  ])(
    'has the Retry-After %s as %s seconds, with and without an error of a server',
    async (header, seconds) => {
      for (const respond of [
        problem(503, 'CAPACITY', { 'Retry-After': header }),
        status(503, 'no', { 'Retry-After': header }),
      ]) {
        expect((await errorOf(requestsTo([respond]).post())).retryAfterSeconds).toBe(seconds);
      }
    },
  );

  test('has no Retry-After if the response has none', async () => {
    for (const respond of [problem(503, 'CAPACITY'), status(503)]) {
      expect((await errorOf(requestsTo([respond]).post())).retryAfterSeconds).toBeUndefined();
    }
  });
});

describe('a pause', () => {
  test('lasts exactly as long as the server requests, and requests within it throw its error', async () => {
    const { sent, post } = requestsTo([problem(503, 'CAPACITY', { 'Retry-After': '7' }), ok]);
    const error = await errorOf(post());
    vi.setSystemTime(Date.now() + 6_999);
    expect(await errorOf(post())).toBe(error);
    expect(sent).toHaveLength(1);
    vi.setSystemTime(Date.now() + 1);
    expect(await post()).toEqual({ head: 1 });
  });

  test.each([
    ['of an error that cannot be retried', problem(403, 'FORBIDDEN', { 'Retry-After': '7' })],
    ['without Retry-After', problem(503, 'CAPACITY')],
  ])('does not follow a response %s', async (_, respond) => {
    const { sent, post } = requestsTo([respond, ok]);
    await errorOf(post());
    expect(await post()).toEqual({ head: 1 });
    expect(sent).toHaveLength(2);
  });
});

describe('a token that the server rejects', () => {
  const rejected = problem(401, 'UNAUTHENTICATED');
  const bearers = (sent: { init: RequestInit }[]) =>
    sent.map(({ init }) => (init.headers as Record<string, string>).Authorization);

  test('is replaced once, and the first response is discarded', async () => {
    const canceled = vi.fn();
    const body = () => new ReadableStream({ cancel: canceled });
    const tokens = ['t1', 't2'];
    const token = () => tokens.shift()!;
    const { sent, post } = requestsTo([() => new Response(body(), { status: 401 }), ok], { token });
    expect(await post()).toEqual({ head: 1 });
    expect(bearers(sent)).toEqual(['Bearer t1', 'Bearer t2']);
    expect(canceled).toHaveBeenCalledOnce();
    expect(await post()).toEqual({ head: 1 });
    expect(bearers(sent).at(-1)).toBe('Bearer t2');
  });

  test('may have no body', async () => {
    const { post } = requestsTo([status(401), ok], { token: () => 't' });
    expect(await post()).toEqual({ head: 1 });
  });

  test('is an error if none was ever accepted, and an outage otherwise', async () => {
    const { sent, post } = requestsTo([rejected, rejected, ok, rejected], { token: () => 't' });
    expect(await errorOf(post())).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(sent).toHaveLength(2);
    await post();
    const error = await errorOf(post());
    expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: 'a UNAUTHENTICATED' });
    expect(error.cause).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('is an error, without a second request, if it cannot be renewed', async () => {
    const { sent, post } = requestsTo([ok, rejected], { token: 't' });
    await post();
    expect(await errorOf(post())).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(sent).toHaveLength(2);
  });

  test('cannot be obtained: an outage, with the cause, and nothing is sent', async () => {
    const cause = new Error('no network');
    const { sent, post } = requestsTo([ok], { token: () => Promise.reject(cause) });
    expect(await errorOf(post())).toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: 'token: the function failed: no network',
      cause,
    });
    expect(sent).toHaveLength(0);
  });
});
