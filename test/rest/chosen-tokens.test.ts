// Publishers that choose their token: a begin can be repeated, and a batch names its epoch and attempt
// (PROTOCOL.md, "Publishing over HTTP").
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AppendResult } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { type App, createApp } from '../support/app.ts';

const PATH = '/api/v0/executions/agents/a1';

let app: App;
beforeEach(() => {
  app = createApp();
});
afterEach(() => app.close());

interface JsonResponse {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read arbitrary JSON.
  readonly body: any;
}

async function send(path: string, init: RequestInit, to = app): Promise<JsonResponse> {
  const response = await to.request(path, init);
  return { status: response.status, body: await response.json() };
}

function begin(token: string, body: object = {}, to = app): Promise<JsonResponse> {
  return send(PATH, { method: 'PUT', headers: { 'Publisher-Token': token }, body: JSON.stringify(body) }, to);
}

function post(token: string, body: object, headers: object = {}): Promise<JsonResponse> {
  const all = { 'Publisher-Token': token, 'Idempotency-Key': randomUUID(), ...headers };
  return send(`${PATH}/events`, { method: 'POST', headers: all, body: JSON.stringify(body) });
}

const chunk = (content: string) => ({ type: 'llm_chunk', data: { content } });
const types = async () => (await app.log.read('a1', 0, 1_000))!.events.map(({ type }) => type);

describe('a repeated PUT', () => {
  test('has the same epoch and attempt, and appends nothing', async () => {
    const token = randomUUID();
    const first = await begin(token, { agentId: 'writer' });
    expect(first).toMatchObject({ status: 201, body: { token, head: 1, attempt: 1 } });
    expect(await begin(token)).toEqual(first);
    await post(token, { events: [chunk('a')] });
    expect(await begin(token, { attempt: 1 })).toEqual({ ...first, body: { ...first.body, head: 2 } });
    expect(await types()).toEqual(['agent_start', 'llm_chunk']);
  });

  test('that arrives while the first one is in progress begins no other attempt', async () => {
    const token = randomUUID();
    const all = await Promise.all([begin(token), begin(token), begin(token)]);
    expect(all.map(({ body }) => body.attempt)).toEqual([1, 1, 1]);
    expect(await types()).toEqual(['agent_start']);
  });

  test('of a token whose attempt was superseded begins the next one, or is rejected if it names its own', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    await begin(one);
    expect((await begin(two)).body.attempt).toBe(2);
    expect(await begin(one, { attempt: 1 })).toMatchObject({ status: 409, body: { code: 'SUPERSEDED' } });
    expect((await begin(one)).body.attempt).toBe(3);
    expect(await types()).toEqual(['agent_start', 'reset', 'agent_start', 'reset', 'agent_start']);
  });

  test('is completed if the server had written the row alone', async () => {
    const log = createMemoryLog();
    let fails = true;
    const append = async (...args: Parameters<typeof log.append>): Promise<AppendResult> => {
      if (fails) throw new Error('the server is killed');
      return log.append(...args);
    };
    await using broken = createApp({ log: { ...log, append } });
    const token = randomUUID();
    expect((await begin(token, { attempt: 1 }, broken)).status).toBe(500);
    fails = false;
    expect(await begin(token, { attempt: 1 }, broken)).toMatchObject({
      status: 201,
      body: { head: 1, attempt: 1 },
    });
    await log.close();
  });

  test('of an execution that has ended is 409', async () => {
    const token = randomUUID();
    await begin(token);
    await post(token, { events: [{ type: 'complete', data: {} }] });
    expect(await begin(token)).toMatchObject({ status: 409, body: { code: 'ENDED' } });
  });

  test.each(['short', 'x'.repeat(201)])('with the token %s is 400', async (token) => {
    expect(await begin(token)).toMatchObject({
      status: 400,
      body: { detail: 'header Publisher-Token: expected 16 to 200 characters, or none' },
    });
  });
});

describe('a PUT with `lost`', () => {
  test('begins a new epoch with reset and start event if the log ends below the head', async () => {
    const token = randomUUID();
    const { epoch } = (await begin(token)).body;
    const again = await begin(token, { attempt: 1, lost: { epoch, head: 9 } });
    expect(again.body).toMatchObject({ attempt: 1, head: 2 });
    expect(again.body.epoch).not.toBe(epoch);
    expect(await types()).toEqual(['reset', 'agent_start']);
    expect(await post(token, { epoch: again.body.epoch, events: [chunk('a')] })).toMatchObject({
      status: 200,
    });
  });

  test('changes nothing if the log is complete', async () => {
    const token = randomUUID();
    const { epoch } = (await begin(token)).body;
    expect((await begin(token, { attempt: 1, lost: { epoch, head: 1 } })).body).toMatchObject({
      epoch,
      head: 1,
    });
    expect(await types()).toEqual(['agent_start']);
  });

  test('by a publisher that another one has superseded is 409', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    const { epoch } = (await begin(one)).body;
    await begin(two);
    const again = await begin(one, { attempt: 1, lost: { epoch, head: 1 } });
    expect(again).toMatchObject({ status: 409, body: { code: 'SUPERSEDED' } });
  });
});

describe('a batch', () => {
  test('for another epoch, or of a former attempt, is 409 and appends nothing', async () => {
    const token = randomUUID();
    const { epoch } = (await begin(token)).body;
    expect((await post(token, { epoch: 'another00000', events: [chunk('a')] })).status).toBe(409);
    expect((await post(token, { attempt: 2, events: [chunk('a')] })).status).toBe(409);
    await app.store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT' });
    expect(await post(token, { epoch, attempt: 1, events: [chunk('a')] })).toMatchObject({
      status: 409,
      body: { code: 'SUPERSEDED' },
    });
    expect(await types()).toEqual(['agent_start']);
  });

  test('with `abandon` leaves no heartbeat to expect, also if it is repeated', async () => {
    const token = randomUUID();
    await begin(token);
    const headers = { 'Idempotency-Key': 'last' };
    for (let i = 0; i < 2; i += 1) {
      expect((await post(token, { events: [chunk('a')], abandon: true }, headers)).status).toBe(200);
      expect((await app.store.get('a1'))!.expectsHeartbeats).toBe(false);
      expect(await app.log.silenceMs('a1')).toBeUndefined();
    }
    expect((await begin(token)).body.attempt).toBe(1);
  });

  test('with reset (overflow) discards the text; other reasons are 422', async () => {
    const token = randomUUID();
    await begin(token);
    const other = { type: 'reset', data: { reason: 'run' } };
    expect(await post(token, { events: [other] })).toMatchObject({
      status: 422,
      body: { detail: 'events.0: reset: expected the reason overflow; the server writes all others' },
    });
    const overflow = { type: 'reset', data: { reason: 'overflow' } };
    await post(token, { events: [chunk('old'), overflow, chunk('new'), { type: 'complete', data: {} }] });
    expect((await app.store.get('a1'))!.result).toBe('new');
  });

  test('with a complete that has resultOmitted keeps no result', async () => {
    const token = randomUUID();
    await begin(token);
    await post(token, { events: [chunk('text'), { type: 'complete', data: { resultOmitted: true } }] });
    const row = (await app.store.get('a1'))!;
    expect(row).toMatchObject({ status: 'SUCCESS', resultOmitted: true });
    expect(row.result).toBeUndefined();
  });
});
