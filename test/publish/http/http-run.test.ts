// The row and the log of a run over HTTP: which requests its calls send, and what the responses mean.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ExecstreamError } from '../../../src/event/errors.ts';
import type { NewEvent } from '../../../src/event/events.ts';
import type { BeginExecution } from '../../../src/execution/store.ts';
import { MAX_BATCH_BYTES } from '../../../src/log/log.ts';
import { connectHttpRun } from '../../../src/publish/http/http-run.ts';
import type { HttpRequest } from '../../../src/publish/http/requests.ts';
import { chunk } from '../../support/app.ts';
import { createRecorder } from '../rig.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

const BEGUN = { token: 't', epoch: 'e1', head: 1, attempt: 3 };
const START: NewEvent = { type: 'agent_start', ts: '2026-11-01T00:00:00.000Z', data: { agentId: 'writer' } };
const denied = (code: 'ENDED' | 'SUPERSEDED' | 'EVENT_TOO_LARGE' | 'FORBIDDEN') =>
  new ExecstreamError(code, 'no');

type Sent = HttpRequest & { readonly json: Record<string, unknown> };
type Respond = (request: Sent, n: number) => unknown;

function connect(execution: Partial<BeginExecution> = {}, respond: Respond = () => undefined) {
  const requests: Sent[] = [];
  const logger = createRecorder();
  const send = async (request: HttpRequest) => {
    const sent = { ...request, json: JSON.parse(request.body) };
    requests.push(sent);
    const response = respond(sent, requests.length);
    if (response instanceof Error) throw response;
    if (response !== undefined) return response;
    return request.method === 'PUT' ? BEGUN : { head: 9 };
  };
  const wanted: BeginExecution = { id: 'a1', kind: 'agent', mode: 'TEXT', ...execution };
  const { log, store } = connectHttpRun(send, wanted, START, logger);
  const append = (events: NewEvent[], batch = 'b1') =>
    log.append('a1', { epoch: 'e1', acknowledged: 4, publisher: 'p', batch, events });
  const begin = (attempt?: number) => store.begin({ ...wanted, ...(attempt !== undefined && { attempt }) });
  const open = (lost?: { epoch: string; acknowledged: number }) =>
    log.open('a1', { numbering: 'auto', publisher: 'p', attempt: 3, ...(lost && { lost }) });
  return { requests, logger, log, store, append, begin, open };
}

describe('the path', () => {
  test.each([
    ['agent', 'a1', 'agents/a1'],
    ['workflow', 'a/b c', 'workflows/a%2Fb%20c'],
    ['task', '.', 'tasks/%FF.'],
    ['task', '..', 'tasks/%FF..'],
    ['task', '...', 'tasks/...'],
  ] as const)('of the %s "%s" is %s', async (kind, id, path) => {
    const { requests, begin, append } = connect({ kind, id });
    await begin();
    await append([START, chunk('a')]);
    expect(requests.map((request) => request.path)).toEqual([
      `/api/v0/executions/${path}`,
      `/api/v0/executions/${path}/events`,
    ]);
  });
});

describe('begin', () => {
  test('sends the fields of the execution and of its start event, and the attempt if it is given', async () => {
    const execution = { name: 'n', parentId: 'w1', tenant: 't1', input: { a: 1 } };
    const { requests, begin } = connect(execution);
    expect(await begin()).toEqual({ attempt: 3, startedAt: expect.any(Date) });
    await begin(7);
    const fields = { mode: 'TEXT', agentId: 'writer', ...execution };
    expect(requests.map(({ json }) => json)).toEqual([fields, { ...fields, attempt: 7 }]);
    const [first, second] = requests.map(({ headers }) => headers!['Publisher-Token']);
    expect(first).toMatch(/^[\da-f-]{36}$/);
    expect(second).toBe(first);
  });

  test.each([
    {},
    null,
    'text',
    { ...BEGUN, epoch: 1 },
    { ...BEGUN, head: '1' },
    { ...BEGUN, head: 1.5 },
    { ...BEGUN, attempt: undefined },
  ])('rejects the response %j: the URL is not that of a server', async (response) => {
    const { begin } = connect({}, () => response);
    await expect(begin()).rejects.toMatchObject({
      code: 'CONFIG',
      message: 'url: expected that of an execstream server, got another response',
    });
  });

  test('leaves an input out that does not fit with the other fields, and logs its size', async () => {
    const others = JSON.stringify({ mode: 'TEXT', agentId: 'writer', input: '' }).length;
    const fits = 'x'.repeat(MAX_BATCH_BYTES - 1_024 - others);
    const exact = connect({ input: fits });
    await exact.begin();
    expect(exact.requests[0]!.json.input).toBe(fits);
    expect(exact.logger.lines).toEqual([]);
    const large = connect({ input: `${fits}x` });
    await large.begin();
    expect(large.requests[0]!.json).toEqual({ mode: 'TEXT', agentId: 'writer' });
    const message = 'input left out: it does not fit into a request to the server';
    const fields = { executionId: 'a1', bytes: MAX_BATCH_BYTES - 1_023 };
    expect(large.logger.lines).toEqual([{ level: 'warn', message, fields }]);
  });
});

describe('open', () => {
  test('uses the log that begin has opened; without one it begins', async () => {
    const { requests, begin, open } = connect();
    const head = { ...BEGUN, numbering: 'auto', end: 0, hasPublisher: true };
    const { token: _, ...expected } = head;
    expect(await open()).toEqual({ outcome: 'opened', head: { ...expected }, isNewEpoch: true });
    expect(requests.map(({ json }) => json.attempt)).toEqual([3]);
    await begin();
    expect(await open()).toMatchObject({ isNewEpoch: false });
    expect(requests).toHaveLength(2);
  });

  test('reports a lost log to the server, and whether that begins another epoch', async () => {
    let epoch = 'e1';
    const { requests, begin, open } = connect({}, () => ({ ...BEGUN, epoch }));
    await begin();
    expect(await open({ epoch: 'e1', acknowledged: 4 })).toMatchObject({ isNewEpoch: false });
    epoch = 'e2';
    expect(await open({ epoch: 'e1', acknowledged: 4 })).toMatchObject({
      isNewEpoch: true,
      head: { epoch: 'e2' },
    });
    expect(requests[1]!.json).toMatchObject({ attempt: 3, lost: { epoch: 'e1', head: 4 } });
  });
});

describe('append', () => {
  test('sends the events after the start event, which the server has appended, with what names the batch', async () => {
    const { requests, begin, append } = connect();
    await begin();
    expect(await append([START, chunk('a')])).toEqual({ outcome: 'appended', head: 9 });
    await append([chunk('b')], 'b2');
    expect(requests.slice(1)).toMatchObject([
      {
        method: 'POST',
        headers: { 'Idempotency-Key': 'b1.0', 'Publisher-Head': '4' },
        json: { epoch: 'e1', attempt: 3, events: [chunk('a')] },
      },
      { headers: { 'Idempotency-Key': 'b2.0' }, json: { events: [chunk('b')] } },
    ]);
    expect(requests[1]!.headers!['Publisher-Token']).toBe(requests[0]!.headers!['Publisher-Token']);
  });

  test('of the start event alone sends nothing', async () => {
    const { requests, begin, append } = connect();
    await begin();
    expect(await append([START])).toEqual({ outcome: 'appended', head: 4 });
    expect(requests).toHaveLength(1);
  });

  test('that failed is repeated with the same events, also after another `PUT`', async () => {
    let fails = true;
    const { requests, begin, append, open } = connect({}, ({ method }) =>
      method === 'POST' && fails ? denied('FORBIDDEN') : undefined,
    );
    await begin();
    await expect(append([START, chunk('a')])).rejects.toThrow('no');
    await open({ epoch: 'e1', acknowledged: 4 });
    fails = false;
    await append([START, chunk('a')]);
    expect(requests.at(-1)!.json.events).toEqual([chunk('a')]);
  });

  test('after another epoch leaves out its start event as well', async () => {
    const { requests, begin, append, open } = connect({}, ({ method }, n) =>
      method === 'PUT' ? { ...BEGUN, epoch: `e${n}` } : undefined,
    );
    await begin();
    await append([START, chunk('a')]);
    await open({ epoch: 'e1', acknowledged: 4 });
    await append([START, chunk('b')]);
    expect(requests.at(-1)!.json).toMatchObject({ epoch: 'e3', events: [chunk('b')] });
  });

  test('that is too large for the server is sent in halves, in order; one event is not', async () => {
    const { requests, append } = connect({}, ({ json }) =>
      (json.events as unknown[]).length > 1 ? denied('EVENT_TOO_LARGE') : undefined,
    );
    await append(['a', 'b', 'c'].map(chunk));
    const accepted = requests.filter(({ json }) => (json.events as unknown[]).length === 1);
    expect(accepted.map(({ json, headers }) => [headers!['Idempotency-Key'], json.events])).toEqual([
      ['b1.0.a.a', [chunk('a')]],
      ['b1.0.a.b', [chunk('b')]],
      ['b1.0.b', [chunk('c')]],
    ]);
    const single = connect({}, () => denied('EVENT_TOO_LARGE'));
    await expect(single.append([chunk('a')])).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' });
    expect(single.requests).toHaveLength(1);
  });

  test.each([
    ['ENDED', { outcome: 'ended', end: 4 }],
    ['SUPERSEDED', { outcome: 'lost' }],
  ] as const)('has an outcome for %s', async (code, outcome) => {
    const { append } = connect({}, () => denied(code));
    expect(await append([chunk('a')])).toEqual(outcome);
  });

  test.each([{}, null, { head: '9' }])('rejects the response %j', async (response) => {
    const { append } = connect({}, () => response);
    await expect(append([chunk('a')])).rejects.toMatchObject({ code: 'CONFIG' });
  });
});

describe('heartbeats', () => {
  test('are sent 5 s after the last request, and none before the run has begun', async () => {
    const { requests, log, begin, append } = connect();
    await log.recordHeartbeat('a1');
    expect(requests).toHaveLength(0);
    await begin();
    vi.setSystemTime(Date.now() + 4_999);
    await log.recordHeartbeat('a1');
    expect(requests).toHaveLength(1);
    vi.setSystemTime(Date.now() + 1);
    await log.recordHeartbeat('a1');
    expect(requests[1]).toMatchObject({
      headers: { 'Idempotency-Key': 'heartbeat', 'Publisher-Head': '0' },
      json: { epoch: 'e1', attempt: 3, events: [] },
    });
    await append([chunk('a'), chunk('b')]);
    vi.setSystemTime(Date.now() + 4_999);
    await log.recordHeartbeat('a1');
    expect(requests).toHaveLength(3);
  });

  test('are no longer expected of an abandoned attempt, also after its last events', async () => {
    const { requests, log, store, begin } = connect();
    await begin();
    await log.removeHeartbeat('a1');
    expect(requests).toHaveLength(1);
    await store.abandon('a1', 3);
    await log.removeHeartbeat('a1');
    const abandoned = { epoch: 'e1', attempt: 3, events: [], abandon: true };
    expect(requests.slice(1).map(({ json }) => json)).toEqual([abandoned, abandoned]);
    expect(requests[1]!.headers).toMatchObject({ 'Idempotency-Key': 'abandon' });
  });
});

test('the server sets the status, from the event', async () => {
  const { requests, store } = connect();
  expect(await store.setStatus('a1', 3, 'WAITING')).toBe(true);
  expect(requests).toHaveLength(0);
});
