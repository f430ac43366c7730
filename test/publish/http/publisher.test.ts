// Publishing over HTTP: requests that are lost, rejected, too large, late or delayed, and the token.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createHttpPublisher } from '../../../src/worker-http.ts';
import { until } from '../../support/wait.ts';
import { foldLog } from '../fold.ts';
import type { RequestFault } from '../http-server.ts';
import { createRecorder, createRig } from '../rig.ts';

afterEach(() => {
  vi.useRealTimers();
});

const httpRig = (limits = {}, strict = false) => createRig(limits, { transport: 'http', strict });

/** A publisher whose server is a function; records the requests. */
function publisherOn(respond: (request: Request, n: number) => Response | Promise<Response>, options = {}) {
  const requests: Request[] = [];
  const logger = createRecorder();
  const publisher = createHttpPublisher({
    url: 'https://server.example/prefix/',
    logger,
    limits: { beginMs: 200, endMs: 500, closeMs: 200, callMs: 200, blockMs: 20 },
    fetch: async (input, init) => {
      const request = new Request(input as string, init);
      requests.push(request);
      return respond(request, requests.length);
    },
    ...options,
  });
  return { publisher, requests, logger };
}

const begun = () => Response.json({ token: 't', epoch: 'k3f9ab01zz', head: 1, attempt: 1 }, { status: 201 });
const appended = (head = 2) => Response.json({ head });
const problem = (status: number, code: string, headers = {}) =>
  Response.json({ code, detail: `a ${code}` }, { status, headers });
const respondOk = (request: Request) => (request.method === 'PUT' ? begun() : appended());

describe('a lost request or response', () => {
  const faults: RequestFault[] = ['not sent', 'response lost', 'no response'];

  test.each(faults)('of the first PUT (%s) begins one attempt with one start event', async (fault) => {
    const { publisher, log, server, store } = httpRig();
    server.faults.push(fault);
    const run = await publisher.begin({ kind: 'agent', id: 'a1', agentId: 'writer', action: 'write' });
    await run.text('text');
    expect(await run.complete()).toBe(true);
    const { events, types } = await foldLog(log.real, 'a1');
    expect(types).toEqual(['agent_start', 'llm_chunk', 'complete']);
    expect(events[0]).toMatchObject({ attempt: 1, data: { agentId: 'writer', action: 'write' } });
    expect(await store.get('a1')).toMatchObject({ attempt: 1, status: 'SUCCESS', result: 'text' });
  });

  test.each(faults)('of the PUT of a second attempt (%s) begins only that one', async (fault) => {
    const { publisher, log, server } = httpRig();
    await (await publisher.begin({ kind: 'agent', id: 'a1' })).abandon(new Error('no'));
    server.faults.push(fault);
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await run.complete();
    const { types, resets } = await foldLog(log.real, 'a1');
    expect(resets).toEqual(['attempt']);
    expect(types.slice(-3)).toEqual(['reset', 'agent_start', 'complete']);
    expect(run.attempt).toBe(2);
  });

  test.each(faults)(
    'of a batch (%s): it is sent again under the same key, and appended once',
    async (fault) => {
      const { publisher, log, server } = httpRig({ batchMs: 0 });
      const run = await publisher.begin({ kind: 'agent', id: 'a1' });
      server.faults.push(fault);
      run.text('a');
      await until(() => server.requests.length === 2);
      run.text('b');
      await run.complete();
      const [, first, second] = server.requests;
      expect(second).toEqual(first);
      expect((await foldLog(log.real, 'a1')).chunks).toEqual(['a', 'b']);
    },
  );

  test.each(faults)('of the end (%s): there is one terminal event', async (fault) => {
    const { publisher, log, server, store } = httpRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1', mode: 'STRUCTURED' });
    await run.value({ n: 1 });
    expect(await run.flush()).toBe(true);
    server.faults.push(fault);
    expect(await run.complete({ n: 2 })).toBe(true);
    expect((await foldLog(log.real, 'a1')).ends).toMatchObject([{ data: { result: { n: 2 } } }]);
    expect((await store.get('a1'))!.result).toEqual({ n: 2 });
  });
});

describe('the limits of a request', () => {
  test('events above 256 KiB are sent in several requests, in order, and resent under the same keys', async () => {
    const { publisher, log, server } = httpRig({ outboxBytes: 8e6, highWaterBytes: 8e6 });
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    log.faults.isAway = true;
    const texts = Array.from({ length: 60 }, (_, i) => `${i} ${'x'.repeat(20_000)}\n`);
    for (const text of texts) run.text(text);
    log.faults.isAway = false;
    expect(await run.complete()).toBe(true);
    expect((await foldLog(log.real, 'a1')).text).toBe(texts.join(''));
    expect(Math.max(...server.requests.map(({ body }) => Buffer.byteLength(body)))).toBeLessThan(256 * 1024);
  });

  test('2,500 small events are sent in requests of up to 1,000', async () => {
    const { publisher, log, server } = httpRig({ outboxBytes: 8e6, highWaterBytes: 8e6, batchMs: 50 });
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    for (let i = 0; i < 2_500; i += 1) run.warning('W', `${i}`);
    await run.complete();
    const { warnings } = await foldLog(log.real, 'a1');
    expect(warnings).toHaveLength(2_500);
    const counts = server.requests.map(({ body }) => (JSON.parse(body).events ?? []).length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(1_000);
  });

  test('a server with lower limits gets a batch in halves', async () => {
    const sizes: number[] = [];
    const { publisher } = publisherOn(async (request) => {
      if (request.method === 'PUT') return begun();
      const { events } = (await request.json()) as { events: unknown[] };
      if (events.length > 2) return problem(413, 'EVENT_TOO_LARGE');
      sizes.push(events.length);
      return appended();
    });
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    for (let i = 0; i < 5; i += 1) run.warning('W', `${i}`);
    expect(await run.complete()).toBe(true);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(6);
  });

  test('a result above 256 KiB is kept if it is the published text, and left out otherwise', async () => {
    const { publisher, store } = httpRig({ callMs: 5_000, endMs: 10_000 });
    const text = 'x'.repeat(400_000);
    const first = await publisher.begin({ kind: 'agent', id: 'a1' });
    await first.text(text);
    expect(await first.complete()).toBe(true);
    expect((await store.get('a1'))!.result).toBe(text);
    const second = await publisher.begin({ kind: 'agent', id: 'a2' });
    await second.text('short');
    expect(await second.complete({ text })).toBe(true);
    expect(await store.get('a2')).toMatchObject({ status: 'SUCCESS', resultOmitted: true });
    expect((await store.get('a2'))!.result).toBeUndefined();
  });

  test('an input that does not fit is left out and logged, and the execution begins', async () => {
    const { publisher, store, logger } = httpRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1', name: 'big', input: 'x'.repeat(300_000) });
    expect(run.state).toBe('open');
    expect(await store.get('a1')).toMatchObject({ name: 'big' });
    expect((await store.get('a1'))!.input).toBeUndefined();
    const message = expect.stringMatching(/^input left out/);
    expect(logger.lines).toMatchObject([{ level: 'warn', message }]);
  });
});

describe('the token', () => {
  test('of a function is sent, and renewed once after a 401 for all runs', async () => {
    let valid = 'token-1';
    let calls = 0;
    const { publisher, requests } = publisherOn(
      (request) =>
        request.headers.get('Authorization') === `Bearer ${valid}`
          ? respondOk(request)
          : problem(401, 'UNAUTHENTICATED'),
      {
        token: async () => {
          calls += 1;
          return valid;
        },
      },
    );
    const runs = await Promise.all(['a1', 'a2'].map((id) => publisher.begin({ kind: 'agent', id })));
    expect(calls).toBe(1);
    valid = 'token-2';
    for (const run of runs) run.text('text');
    expect(await publisher.flush()).toBe(true);
    expect(calls).toBe(2);
    expect(requests[0]!.url).toBe('https://server.example/prefix/api/v0/executions/agents/a1');
  });

  test.each([
    ['a wrong token', 401, 'UNAUTHENTICATED'],
    ['a token without the right to publish', 403, 'FORBIDDEN'],
    ['a parent that does not exist', 404, 'NOT_FOUND'],
  ] as const)('%s: the run publishes nothing, and its error and the log say why', async (_, status, code) => {
    const { publisher, logger } = publisherOn(() => problem(status, code), { token: 'x' });
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    expect(run).toMatchObject({ state: 'rejected', error: { code, message: `a ${code}` } });
    expect(run.signal.aborted).toBe(false);
    expect(await run.text('text')).toBe(false);
    expect(await run.complete()).toBe(false);
    expect(logger.lines.at(-1)).toMatchObject({ level: 'error', fields: { err: { code } } });
  });

  test('that a function cannot renew any more loses nothing: the events wait for another one', async () => {
    let isValid = true;
    const bodies: string[] = [];
    const { publisher } = publisherOn(
      async (request) => {
        if (!isValid) return problem(401, 'UNAUTHENTICATED');
        if (request.method === 'POST') bodies.push(await request.text());
        return respondOk(request);
      },
      { token: async () => 'token' },
    );
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    isValid = false;
    run.text('kept');
    expect(await run.flush()).toBe(false);
    expect(run.state).toBe('open');
    isValid = true;
    expect(await run.complete()).toBe(true);
    expect(bodies.join()).toContain('kept');
  });

  test('of a function that fails is an outage, not an error of the work', async () => {
    let fails = true;
    const { publisher, logger } = publisherOn(respondOk, {
      token: async () => {
        if (fails) throw new Error('no network');
        return 'token';
      },
    });
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    expect(run.state).toBe('open');
    expect(logger.lines.at(-1)!.fields).toMatchObject({
      err: { message: 'token: the function failed: no network' },
    });
    fails = false;
    expect(await run.complete()).toBe(true);
  });
});

describe('a server that responds with something else', () => {
  test.each([429, 503])(
    '%i with Retry-After: nothing is sent before that time, and nothing is lost',
    async (status) => {
      vi.useFakeTimers();
      const { publisher, requests } = publisherOn((request, n) => {
        if (n === 2)
          return problem(status, status === 429 ? 'TOO_MANY_REQUESTS' : 'SOURCE_UNAVAILABLE', {
            'Retry-After': '7',
          });
        return respondOk(request);
      });
      const beginning = publisher.begin({ kind: 'agent', id: 'a1' });
      await vi.advanceTimersByTimeAsync(10);
      const run = await beginning;
      run.text('text');
      await vi.advanceTimersByTimeAsync(6_500);
      expect(requests).toHaveLength(2);
      await vi.advanceTimersByTimeAsync(3_000);
      expect(requests).toHaveLength(3);
      expect(run.stats.queuedBytes).toBe(0);
    },
  );

  test.each([
    [
      'the page of a proxy',
      () => new Response('<html>Bad Gateway</html>', { status: 502 }),
      'SOURCE_UNAVAILABLE',
      'open',
    ],
    [
      'a redirect',
      () => new Response(null, { status: 302, headers: { Location: 'https://login' } }),
      'CONFIG',
      'rejected',
    ],
    ['JSON of another server', () => Response.json({ ok: true }), 'CONFIG', 'rejected'],
    ['404 of another server', () => new Response('no', { status: 404 }), 'NOT_FOUND', 'rejected'],
  ] as const)('%s', async (_, respond, code, state) => {
    const { publisher, logger } = publisherOn(respond);
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    expect(run.state).toBe(state);
    expect(logger.lines.at(-1)!.fields).toMatchObject({ err: { code } });
    await publisher.close();
  });

  test('a 409 although the log is complete loses nothing: the batch is sent again unchanged', async () => {
    const bodies: string[] = [];
    const { publisher, requests } = publisherOn(async (request) => {
      if (request.method === 'PUT') return begun();
      bodies.push(await request.text());
      return bodies.length === 2 ? problem(409, 'SUPERSEDED') : appended();
    });
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    run.text('first');
    expect(await run.flush()).toBe(true);
    run.text('second');
    expect(await run.complete()).toBe(true);
    expect(requests.map(({ method }) => method)).toEqual(['PUT', 'POST', 'POST', 'PUT', 'POST']);
    expect(bodies[2]).toBe(bodies[1]);
    expect(bodies[2]).toContain('second');
  });

  test('a 422 in the middle of a run stops publishing, and says why', async () => {
    const { publisher } = publisherOn((request) =>
      request.method === 'PUT' ? begun() : problem(422, 'BAD_USER_INPUT'),
    );
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    run.text('text');
    await until(() => run.state === 'rejected');
    expect(run.error).toMatchObject({ code: 'BAD_USER_INPUT', message: 'a BAD_USER_INPUT' });
    expect(await run.complete()).toBe(false);
  });
});

describe('a run over HTTP', () => {
  test('a late batch of a former epoch of the log is not appended', async () => {
    const { publisher, log, server } = httpRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    run.text('first ');
    await run.flush();
    const late = server.requests.at(-1)!;
    log.lose();
    run.text('second');
    expect(await run.flush()).toBe(true);
    const headers = { 'Publisher-Token': 'x', 'Idempotency-Key': 'late', 'Content-Type': 'application/json' };
    const response = await server.fetch(`http://server${late.path}`, {
      method: 'POST',
      headers,
      body: late.body,
    });
    expect(response.status).toBe(409);
    expect((await foldLog(log.real, 'a1')).text).toBe('first second');
  });

  test('abandon() leaves no heartbeat to expect until the next attempt', async () => {
    const { publisher, store, log } = httpRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    expect((await store.get('a1'))!.expectsHeartbeats).toBe(true);
    await run.abandon(new Error('no'));
    expect((await store.get('a1'))!.expectsHeartbeats).toBe(false);
    await until(async () => (await log.real.silenceMs('a1')) === undefined);
    expect((await foldLog(log.real, 'a1')).warnings).toEqual(['ATTEMPT_FAILED']);
  });

  test('heartbeats are sent only while there are no batches', async () => {
    vi.useFakeTimers();
    const { publisher, requests } = publisherOn(respondOk);
    const beginning = publisher.begin({ kind: 'agent', id: 'a1' });
    await vi.advanceTimersByTimeAsync(10);
    const run = await beginning;
    await vi.advanceTimersByTimeAsync(9_000);
    run.text('text');
    await vi.advanceTimersByTimeAsync(4_000);
    expect(requests).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(requests).toHaveLength(3);
    expect(JSON.parse(await requests[2]!.text())).toMatchObject({ events: [] });
    const closing = publisher.close();
    await vi.advanceTimersByTimeAsync(1_000);
    await closing;
  });

  test('flush() sends everything without waiting for more, and reports an unavailable server', async () => {
    const { publisher, log } = httpRig({ batchMs: 60_000, closeMs: 100 });
    const run = await publisher.begin({ kind: 'agent', id: 'a1', mode: 'STRUCTURED' });
    await run.value({ text: 'x'.repeat(1_000) });
    await run.value({ text: 'x'.repeat(1_010) });
    expect(await run.flush()).toBe(true);
    expect((await foldLog(log.real, 'a1')).value).toEqual({ text: 'x'.repeat(1_010) });
    log.faults.isAway = true;
    await run.value({ text: '' });
    expect(await publisher.flush()).toBe(false);
  });

  test('the status of a run is on the row, and a workflow has its type', async () => {
    const { publisher, store, log } = httpRig();
    const run = await publisher.begin({ kind: 'workflow', id: 'w/1', workflowType: 'Plan' });
    await run.status('WAITING');
    await until(async () => (await store.get('w/1'))?.status === 'WAITING');
    await run.complete({ ok: true });
    expect((await foldLog(log.real, 'w/1')).events[0]).toMatchObject({
      data: { workflowId: 'w/1', workflowType: 'Plan' },
    });
  });

  test.each([
    [{ url: 'redis://localhost' }, /^url: expected a URL that begins with https:.*, got redis:\/\/$/],
    [{ url: undefined }, /^url: .*got undefined$/],
    [{ url: 'http://x', token: '' }, /^token: .*got an empty text$/],
    [{ url: 'http://x', token: 7 }, /^token: .*got number$/],
    [undefined, /^url: /],
  ])('the settings %j are rejected', (options, message) => {
    expect(() => createHttpPublisher(options as never)).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringMatching(message) }),
    );
  });
});
