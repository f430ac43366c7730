// What the bodies of requests may be: content codings, UTF-8, fields and numbers (PROTOCOL.md, "Publishing over HTTP").
import { randomUUID } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ListeningApp, startApp } from '../support/app.ts';

let app: ListeningApp;

beforeEach(async () => {
  app = await startApp();
});

afterEach(() => app.close());

async function send(method: string, path: string, body: Uint8Array | string, headers = {}) {
  const init = {
    method,
    body: body as BodyInit,
    headers: { 'Content-Type': 'application/json', ...headers },
  };
  const response = await fetch(`${app.url}${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

const put = (body: Uint8Array | string, headers = {}) =>
  send('PUT', '/api/v0/executions/agents/a1', body, headers);

async function post(events: string) {
  const { token } = (await put('{"mode":"TEXT"}')).body;
  const headers = { 'Publisher-Token': token, 'Idempotency-Key': randomUUID() };
  return send('POST', '/api/v0/executions/agents/a1/events', `{"events":${events}}`, headers);
}

const JSON_BODY = '{"name":"größer","input":{"q":"😀"}}';

describe('content codings', () => {
  test.each([
    ['gzip', gzipSync],
    ['GZIP', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['identity', (text: string) => Buffer.from(text)],
    ['identity, gzip', gzipSync],
  ])('a body in %s is decoded (%#)', async (coding, encode) => {
    expect(await put(encode(JSON_BODY), { 'Content-Encoding': coding })).toMatchObject({ status: 201 });
    expect(await app.store.get('a1')).toMatchObject({ name: 'größer', input: { q: '😀' } });
    const graphql = encode(JSON.stringify({ query: '{ execution(kind: AGENT, id: "a1") { name } }' }));
    expect(await send('POST', '/graphql', graphql, { 'Content-Encoding': coding })).toMatchObject({
      status: 200,
      body: { data: { execution: { name: 'größer' } } },
    });
  });

  test.each(['zstd', 'compress', 'gzip, gzip', 'toString'])(
    'a body in %s is 415 with the codings that are supported, and is not quoted',
    async (coding) => {
      for (const send415 of [
        put,
        (body: string, headers: object) => send('POST', '/graphql', body, headers),
      ]) {
        const response = await send415('confidential', { 'Content-Encoding': coding });
        expect(response.status).toBe(415);
        expect(response.headers.get('accept-encoding')).toBe('gzip, deflate, br');
        expect(response.text).toContain('expected one of gzip, deflate, br, or none');
        expect(response.text).not.toMatch(/confidential|zstd|compress|toString/);
      }
    },
  );

  test.each([
    ['no gzip', Buffer.from(JSON_BODY)],
    ['a part of it', gzipSync(JSON_BODY).subarray(0, 20)],
    ['nothing', Buffer.alloc(0)],
  ])('a body that does not match its content coding is 400: %s', async (_, body) => {
    const headers = { 'Content-Encoding': 'gzip' };
    const detail = 'body: does not match the header Content-Encoding';
    expect(await put(body, headers)).toMatchObject({ status: 400, body: { code: 'BAD_USER_INPUT', detail } });
    expect(await send('POST', '/graphql', body, headers)).toMatchObject({
      status: 400,
      body: { errors: [{ message: detail }] },
    });
  });

  test.each([gzipSync, deflateSync, brotliCompressSync])(
    'a small body that grows beyond the limit is 413 (%#)',
    async (encode) => {
      const coding = ['gzip', 'deflate', 'br'][
        [gzipSync, deflateSync, brotliCompressSync].indexOf(encode as never)
      ];
      const bomb = encode(Buffer.alloc(64 * 1024 * 1024, ' '));
      expect(await put(bomb, { 'Content-Encoding': coding })).toMatchObject({ status: 413 });
      expect(await send('POST', '/graphql', bomb, { 'Content-Encoding': coding })).toMatchObject({
        status: 413,
      });
    },
  );
});

describe('UTF-8', () => {
  test.each([
    ['a byte that begins nothing', [0xff]],
    ['half a character', [0xe2, 0x82]],
    ['a surrogate', [0xed, 0xa0, 0xbd]],
    ['an overlong form', [0xc0, 0xaf]],
    ['Latin-1', [0xfc]],
  ])('a body that is not valid UTF-8 is 400: %s', async (_, bytes) => {
    const body = Buffer.concat([Buffer.from('{"name":"'), Buffer.from(bytes), Buffer.from('"}')]);
    const detail = 'body: not valid UTF-8';
    expect(await put(body)).toMatchObject({ status: 400, body: { code: 'BAD_USER_INPUT', detail } });
    const query = Buffer.concat([
      Buffer.from('{"query":"{ __typename } #'),
      Buffer.from(bytes),
      Buffer.from('"}'),
    ]);
    expect(await send('POST', '/graphql', query)).toMatchObject({
      status: 400,
      body: { errors: [{ message: detail }] },
    });
  });

  test('a byte order mark is skipped', async () => {
    expect(await put(`\ufeff${JSON_BODY}`)).toMatchObject({ status: 201 });
  });
});

describe('fields', () => {
  test('the mode of a begin is TEXT by default, and STRUCTURED for a workflow', async () => {
    expect(await put('{}')).toMatchObject({ status: 201 });
    expect(await app.store.get('a1')).toMatchObject({ mode: 'TEXT' });
    expect(await send('PUT', '/api/v0/executions/workflows/w1', '{}')).toMatchObject({ status: 201 });
    expect(await app.store.get('w1')).toMatchObject({ mode: 'STRUCTURED' });
  });

  test.each([
    ['[{"type":"llm_chunk","data":{"text":"x"}}]', 'events.0: llm_chunk: data.text: unknown field'],
    ['[{"type":"llm_chunk","payload":{"content":"x"}}]', 'events.0.payload: unknown field'],
    ['[{"type":"complete","data":{"results":1}}]', 'events.0: complete: data.results: unknown field'],
  ])('an unknown field is named as unknown, before one that is missing: %s', async (events, detail) => {
    expect(await post(events)).toMatchObject({ status: 422, body: { detail } });
  });

  test('an unknown field with a long name is shortened', async () => {
    const { body } = await put(JSON.stringify({ ['x'.repeat(10_000)]: 1 }));
    expect(body.detail).toBe(`${'x'.repeat(80)}…: unknown field`);
  });
});

describe('numbers', () => {
  test.each([
    ['args', '12345678901234567890'],
    ['result', '-9007199254740993'],
    ['args', '18446744073709551615'],
    ['args', '9.007199254740993e15'],
  ])('an integer in %s that JSON readers would change is 422 with its path: %s', async (field, number) => {
    const data = `{"toolCallId":"t","toolName":"n","status":"started","${field}":{"ids":[1,${number}]}}`;
    const detail = `events.0.data.${field}.ids.1: expected an integer that JSON readers keep, or a string, got ${number}`;
    expect(await post(`[{"type":"tool_call","data":${data}}]`)).toMatchObject({
      status: 422,
      body: { detail },
    });
  });

  test('integers that are kept, and numbers that are not integers, are accepted', async () => {
    const args = '[9007199254740992,1e22,3.14159265358979323846,"12345678901234567890"]';
    const data = `{"toolCallId":"t","toolName":"n","status":"started","args":${args}}`;
    expect(await post(`[{"type":"tool_call","data":${data}}]`)).toMatchObject({ status: 200 });
  });
});
