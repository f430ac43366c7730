// What every embedded server must do, whatever it is embedded in: one suite for all examples.
//
//   describeEmbedding('Express', start);
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import {
  type Caller,
  createExecstream,
  createMemoryLog,
  type Execstream,
  type ExecstreamOptions,
} from '../../src/index.ts';
import { EVENT_STREAM, graphqlPath, range } from '../support/app.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { openSse, type SseStream } from '../support/sse.ts';
import { until } from '../support/wait.ts';

/** The application of an example. */
export interface Application {
  readonly url: string;
  /** Closes execstream, then the application. */
  close(): Promise<void>;
}

export type StartApplication = (execstream: Execstream) => Promise<Application>;

/** The path that all examples use. */
const BASE = '/streams';
const STATE = `${BASE}/api/v0/executions/agents/a1`;
const STREAM = `${STATE}/stream`;
const SUBSCRIPTION =
  'subscription($id: ID!) { agentStream(id: $id) { seq type ... on LlmChunkEvent { content } } }';
const ANN = { 'x-user': 'ann' };

/** The authentication of an application: a header that names the user. */
function authenticate(sent: Request): Caller | undefined {
  const name = sent.headers.get('x-user');
  if (name === 'nobody') throw new ExecstreamError('UNAUTHENTICATED', 'no such user');
  return name === null ? undefined : { id: name };
}

/** Sends bytes without reading a file into memory, and returns the status of the response. */
function upload(url: string, bytes: number, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', agent: false, headers });
    outgoing.once('response', (response) => {
      resolve(response.statusCode!);
      outgoing.destroy();
    });
    outgoing.once('error', reject);
    const piece = Buffer.alloc(1024 * 1024, ' ');
    let sent = 0;
    const write = () => {
      while (sent < bytes) {
        sent += piece.length;
        if (!outgoing.write(piece)) return void outgoing.once('drain', write);
      }
      outgoing.end();
    };
    write();
  });
}

const FIFTY_MEGABYTES = 50 * 1024 * 1024;

export function describeEmbedding(name: string, start: StartApplication): void {
  describe(`execstream embedded in ${name}`, () => {
    let execstream: Execstream;
    let application: Application;
    let url: string;
    const errors: unknown[] = [];
    const streams: SseStream[] = [];

    async function startWith(options: Partial<ExecstreamOptions> = {}): Promise<void> {
      await application?.close();
      errors.length = 0;
      execstream = createExecstream({
        ...{ log: createMemoryLog(), store: createMemoryStore(), basePath: BASE, authenticate },
        settings: { retryMs: 1_000, heartbeatMs: 15_000, lifetimeMs: 600_000 },
        logger: { error: (fields) => void errors.push(fields) },
        ...options,
      });
      application = await start(execstream);
      url = application.url;
    }

    async function watch(path = STREAM, options: Parameters<typeof openSse>[1] = {}): Promise<SseStream> {
      const stream = await openSse(url + path, { ...options, headers: { ...ANN, ...options.headers } });
      streams.push(stream);
      return stream;
    }

    const begin = () => execstream.publisher().begin({ kind: 'agent', id: 'a1' });
    const seqs = ({ frames }: SseStream) => frames.map(({ id }) => Number.parseInt(id!, 10));
    const get = (path: string, init: RequestInit = {}) => fetch(url + path, { headers: ANN, ...init });
    const post = (path: string, body: unknown, headers: Record<string, string> = {}, method = 'POST') =>
      fetch(url + path, {
        method,
        headers: { ...ANN, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });

    beforeEach(() => startWith());
    afterEach(async () => {
      for (const stream of streams.splice(0)) stream[Symbol.dispose]();
      await application.close();
    });

    describe('streams', () => {
      test('a viewer receives every event of a run when it is published, and a clean end', async () => {
        const run = await begin();
        // A compressing middleware would hold frames back.
        const stream = await watch(STREAM, { headers: { 'accept-encoding': 'gzip, br' } });
        expect(stream.status).toBe(200);
        expect(stream.headers['content-type']).toMatch(/^text\/event-stream/);
        expect(stream.headers['content-encoding']).toBeUndefined();
        expect(stream.headers['cache-control']).toBe('no-cache, no-transform');
        for (const step of ['one', 'two', 'three']) {
          await run.warning('STEP', step);
          await stream.until(() => stream.text.includes(step), step);
        }
        await run.complete();
        expect(await stream.ended()).toBe('clean');
        expect(seqs(stream)).toEqual(range(1, stream.frames.length));
        expect(stream.frames.at(-1)!.event).toBe('complete');
        expect(errors).toEqual([]);
      });

      test('a viewer that reconnects with its cursor misses nothing and gets nothing twice', async () => {
        const run = await begin();
        for (const step of ['one', 'two', 'three']) await run.warning('STEP', step);
        const first = await watch();
        const [, second] = await first.take(2);
        first[Symbol.dispose]();
        await until(() => execstream.streams.size === 0);
        await run.complete();
        const resumed = await watch(STREAM, { lastEventId: second!.id! });
        expect(await resumed.ended()).toBe('clean');
        expect(seqs(resumed)).toEqual(range(3, 2 + resumed.frames.length));
        const again = await get(STREAM, { headers: { ...ANN, 'last-event-id': resumed.lastEventId! } });
        expect(again.status).toBe(204);
      });

      test('GraphQL subscriptions are streamed and resumed, by POST and by GET', async () => {
        const run = await begin();
        await run.text('hello');
        await run.complete();
        const variables = { id: 'a1' };
        const complete = await watch(`${BASE}/graphql`, { body: { query: SUBSCRIPTION, variables } });
        expect(await complete.ended()).toBe('clean');
        expect(complete.frames.at(-1)!.event).toBe('complete');
        const path = BASE + graphqlPath(SUBSCRIPTION, variables);
        const resumed = await watch(path, { lastEventId: complete.frames[0]!.id! });
        expect(await resumed.ended()).toBe('clean');
        expect(resumed.frames).toEqual(complete.frames.slice(1));
      });

      test('a viewer that disconnects is released', async () => {
        await begin();
        const stream = await watch();
        await until(() => execstream.streams.size === 1);
        stream[Symbol.dispose]();
        await until(() => execstream.streams.size === 0 && execstream.tails.size === 0);
      });

      test('a rotated stream is an unfinished response', async () => {
        await begin();
        const stream = await watch();
        await stream.until(() => stream.text.includes('retry:'));
        execstream.streams.rotateAll();
        expect(await stream.ended()).toBe('aborted');
      });
    });

    describe('requests', () => {
      test('queries and states have JSON responses', async () => {
        await begin();
        const query = 'query($id: ID!) { execution(kind: AGENT, id: $id) { id status } }';
        const response = await post(`${BASE}/graphql`, { query, variables: { id: 'a1' } });
        expect(await response.json()).toEqual({ data: { execution: { id: 'a1', status: 'RUNNING' } } });
        const form = await fetch(`${url}${BASE}/graphql`, {
          method: 'POST',
          headers: ANN,
          body: new URLSearchParams({ query, variables: '{"id":"a1"}' }),
        });
        expect(await form.json()).toEqual({ data: { execution: { id: 'a1', status: 'RUNNING' } } });
        expect(await (await get(STATE)).json()).toMatchObject({ id: 'a1', status: 'RUNNING' });
      });

      test('an execution is published over HTTP', async () => {
        const path = `${BASE}/api/v0/executions/tasks/t1`;
        const began = await post(path, { mode: 'TEXT' }, {}, 'PUT');
        expect(began.status).toBe(201);
        const { token } = (await began.json()) as { token: string };
        const events = [
          { type: 'llm_chunk', data: { content: 'zwölf 👩‍🚀' } },
          { type: 'complete', data: { status: 'SUCCESS' } },
        ];
        const keys = { 'publisher-token': token, 'idempotency-key': 'k1' };
        expect((await post(`${path}/events`, { events }, keys)).status).toBe(200);
        const state = await (await get(path)).json();
        expect(state).toMatchObject({ status: 'SUCCESS' });
      });

      test('every response has the security headers, and no request is logged as an error', async () => {
        for (const path of [
          '/',
          '/docs',
          '/health/live',
          '/health/ready',
          '/graphql?query={__typename}',
          '/no',
        ]) {
          const response = await get(BASE + path);
          expect(response.headers.get('x-content-type-options')).toBe('nosniff');
          expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
          await response.arrayBuffer();
        }
        expect(errors).toEqual([]);
      });
    });

    describe('limits', () => {
      test('a GraphQL body of 50 MB is 413, and the server continues', async () => {
        const target = `${url}${BASE}/graphql`;
        const headers = { ...ANN, 'content-type': 'application/graphql+json' };
        const length = { 'content-length': String(FIFTY_MEGABYTES) };
        expect(await upload(target, FIFTY_MEGABYTES, { ...headers, ...length })).toBe(413);
        expect(
          (await post(`${BASE}/graphql`, { query: `{ __typename }${' '.repeat(200_000)}` })).status,
        ).toBe(413);
        expect((await post(`${BASE}/graphql`, { query: '{ __typename }' })).status).toBe(200);
      });

      test('the streams of a caller are limited, and a closed one makes room', async () => {
        await startWith({ limits: { streams: { perCaller: 2 } } });
        await begin();
        const [first] = [await watch(), await watch()];
        const rejected = await get(STREAM, { headers: { ...ANN, ...EVENT_STREAM } });
        expect(rejected.status).toBe(429);
        expect(rejected.headers.get('retry-after')).toMatch(/^\d+$/);
        expect(await rejected.json()).toMatchObject({ code: 'TOO_MANY_STREAMS' });
        expect((await watch(STREAM, { headers: { 'x-user': 'ben' } })).status).toBe(200);
        first![Symbol.dispose]();
        await until(() => execstream.streams.size === 2);
        expect((await watch()).status).toBe(200);
      });
    });

    describe('authentication', () => {
      test('a request without credentials is 401, and one with rejected credentials has the reason', async () => {
        await begin();
        const none = await get(STATE, { headers: {} });
        expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
        const rejected = await get(STATE, { headers: { 'x-user': 'nobody' } });
        expect(await rejected.json()).toMatchObject({ status: 401, detail: 'no such user' });
        expect((await get(STATE)).status).toBe(200);
      });

      test('a stream token opens the stream of its execution, and no other path', async () => {
        await begin();
        const created = await post(`${BASE}/api/v0/stream-tokens`, { executions: ['a1'] });
        expect(created.status).toBe(201);
        const { token } = (await created.json()) as { token: string };
        const stream = await openSse(`${url}${STREAM}?access_token=${token}`);
        streams.push(stream);
        expect(stream.status).toBe(200);
        await stream.until(() => stream.text.includes('retry:'));
        expect((await get(`${STATE}?access_token=${token}`, { headers: {} })).status).toBe(401);
      });
    });

    describe('the base path', () => {
      test('the application keeps its own routes, and execstream has none outside', async () => {
        expect(await (await get('/')).text()).toBe('the application');
        for (const path of ['/graphql', '/health/live', '/streamsgraphql', '/api/v0/executions/agents/a1']) {
          expect((await get(path)).status).toBe(404);
        }
      });

      test('the console, the REST page, the OpenAPI document and cookies have the base path', async () => {
        const text = async (path: string) => (await get(BASE + path)).text();
        expect(await text('/')).toContain(`href="${BASE}/graphql"`);
        expect(await text('/')).toContain(`fetch('${BASE}/graphql'`);
        for (const path of [...(await text('/docs')).matchAll(/(?:src|href)="([^"]+)"/g)].map(
          (match) => match[1]!,
        )) {
          expect(path).toMatch(/^\/streams\/docs\//);
          expect((await get(path)).status).toBe(200);
        }
        expect(await text('/docs/start.js')).toContain(`url: '${BASE}/openapi.json'`);
        expect(JSON.parse(await text('/openapi.json')).servers).toEqual([{ url: BASE }]);
        await begin();
        const created = await post(`${BASE}/api/v0/stream-tokens`, { executions: ['a1'], cookie: true });
        expect(created.headers.get('set-cookie')).toContain(`Path=${BASE};`);
      });
    });

    describe('close', () => {
      test('open streams are rotated; new ones are 503 until everything is; the application goes on', async () => {
        const run = await begin();
        await run.warning('STEP', 'before');
        const stream = await watch();
        await stream.until(() => stream.text.includes('before'));
        const closing = execstream.close({ drainMs: 0 });
        const rejected = await get(STREAM, { headers: { ...ANN, ...EVENT_STREAM } });
        expect(rejected.status).toBe(503);
        expect(rejected.headers.get('retry-after')).toMatch(/^\d+$/);
        expect(await stream.ended()).toBe('aborted');
        expect(stream.text).not.toContain('event: complete');
        await closing;
        for (const path of [STATE, `${BASE}/graphql?query={__typename}`]) {
          const closed = await get(path);
          expect([closed.status, closed.headers.has('retry-after')]).toEqual([503, true]);
        }
        expect(await (await get('/')).text()).toBe('the application');
      });
    });
  });
}
