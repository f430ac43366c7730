// The OpenAPI document compared with the server: paths, example responses and streams, and its rendering at `/docs`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BaseResolver, createConfig, lintDocument, Source } from '@redocly/openapi-core';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ExecutionKind } from '../../src/event/events.ts';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { DEFAULT_QUOTAS } from '../../src/execution/quotas.ts';
import { openApiDocument } from '../../src/rest/openapi/document.ts';
import { EXAMPLE_EPOCH, EXAMPLES } from '../../src/rest/openapi/examples.ts';
import { ROUTES } from '../../src/rest/routes.ts';
import { DEFAULT_SERVER_LIMITS } from '../../src/server/limits.ts';
import { directLog, type ListeningApp, startApp, unfinishedText } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';

// biome-ignore lint/suspicious/noExplicitAny: the document is accessed by its JSON paths.
type Json = any;

const DOCUMENT = JSON.parse(JSON.stringify(openApiDocument('1.2.3', ROUTES))) as Json;

/** The linter's findings: severity, rule, location and message. */
async function lint(document: Json): Promise<string[]> {
  const config = await createConfig({
    extends: ['recommended'],
    rules: { 'no-invalid-media-type-examples': 'error', 'no-invalid-schema-examples': 'error' },
  });
  const source = new Source('openapi.json', JSON.stringify(document));
  const problems = await lintDocument({
    document: { source, parsed: document },
    config,
    externalRefResolver: new BaseResolver(config.resolve),
  } as unknown as Parameters<typeof lintDocument>[0]);
  return problems.map(
    ({ severity, ruleId, message, location }) =>
      `${severity} ${ruleId} ${location[0]?.pointer ?? ''}: ${message}`,
  );
}

/** The problem of a response; a stream describes it as `application/*`. */
const problemIn = ({ content }: Json) => content?.['application/problem+json'] ?? content?.['application/*'];

const KINDS = [
  ['agents', 'agent'],
  ['tasks', 'task'],
  ['workflows', 'workflow'],
] as const;

let app: ListeningApp;
beforeEach(async () => {
  app = await startApp();
});
afterEach(() => app.close());

interface Sent {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

const send = (path: string, { method = 'GET', body, headers = {} }: Sent = {}, url = app.url) =>
  fetch(`${url}${path}`, {
    method,
    headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

const SHARED_KEY = 'a shared key that is long enough, for tests only';
const ONE_STREAM = { ...DEFAULT_SERVER_LIMITS, streams: { ...DEFAULT_SERVER_LIMITS.streams, perCaller: 1 } };

const ONE_PER_SECOND = { ...DEFAULT_SERVER_LIMITS, quotas: { ...DEFAULT_QUOTAS, queries: 1, begins: 1 } };

let keys = 0;
const batchHeaders = (token: string) => ({
  'Publisher-Token': token,
  'Idempotency-Key': `key-${++keys}`,
});

/** Replaces values that differ between runs. */
function masked(text: string, epoch: string): string {
  return text
    .replaceAll(epoch, EXAMPLE_EPOCH)
    .replace(/"durationMs":\d+/g, '"durationMs":1234')
    .replace(/"(startedAt|finishedAt)":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g, '"$1":"MASKED"')
    .replace(/"token":"[\w-]{32}"/, '"token":"MASKED"')
    .replace(/"runId":"[0-9a-f-]{36}"/, '"runId":"MASKED"');
}

/** Publishes a kind's example over HTTP, and returns the responses. */
async function publishExample(plural: string, kind: ExecutionKind) {
  const path = `/api/v0/executions/${plural}/report-42`;
  const { begin, batch, end } = EXAMPLES[kind];
  const beginResponse = await send(path, { method: 'PUT', body: begin });
  const { token, epoch, ...rest } = (await beginResponse.json()) as { token: string; epoch: string };
  const post = async (body: object) => {
    const response = await send(`${path}/events`, { method: 'POST', body, headers: batchHeaders(token) });
    return { status: response.status, body: await response.json() };
  };
  const batches = [await post(batch), await post(end)];
  const state = await (await send(path)).text();
  const stream = await (await send(`${path}/stream`)).text();
  return {
    path,
    token,
    epoch,
    beginning: { status: beginResponse.status, body: { token, epoch, ...rest } },
    batches,
    state,
    stream,
  };
}

describe('the OpenAPI document', () => {
  test('the document is served at /openapi.json with the version of the package', async () => {
    const response = await send('/openapi.json');
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(openApiDocument(version, ROUTES))));
  });

  test('the document passes the recommended rules of a linter, and every example matches its schema', async () => {
    expect(await lint(DOCUMENT)).toEqual([]);
  });

  test('the linter detects a wrong example and a missing operation id', async () => {
    const wrong = structuredClone(DOCUMENT);
    wrong.paths['/health/live'].get.responses[200].content['application/json'].example = { status: 1 };
    delete wrong.paths['/docs'].get.operationId;
    const findings = (await lint(wrong)).join('\n');
    expect(findings).toMatch(/no-invalid-media-type-examples/);
    expect(findings).toMatch(/operation-operationId/);
  });

  test('the document describes every route except those deliberately left out, and no others', () => {
    const described = ROUTES.flatMap(({ method, path, openApi }) => (openApi ? `${method} ${path}` : []));
    const documented = Object.entries(DOCUMENT.paths as Json).flatMap(([path, item]) =>
      Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.length).toBeGreaterThan(15);
    expect(documented.toSorted()).toEqual(described.toSorted());
  });

  test('every path exists on the server with the documented methods', async () => {
    for (const [path, item] of Object.entries(DOCUMENT.paths as Json)) {
      const response = await send(path.replace('{id}', 'report-42'), { method: 'DELETE' });
      expect(response.status).toBe(405);
      const allowed = response.headers.get('allow')!.split(', ');
      const documented = Object.keys(item as object).map((method) => method.toUpperCase());
      expect(allowed.filter((method) => method !== 'HEAD').toSorted()).toEqual(documented.toSorted());
      const { detail } = (await response.json()) as { detail: string };
      for (const operation of Object.values(item as Json) as Json[]) {
        expect(problemIn(operation.responses[405]).example.detail).toBe(detail);
      }
    }
  });
});

describe('the example responses are those of the server', () => {
  test.each(KINDS)('%s begin, stream and end as in the examples', async (plural, kind) => {
    const { epoch, beginning, batches, state, stream } = await publishExample(plural, kind);
    const { paths } = DOCUMENT;
    const path = `/api/v0/executions/${plural}/{id}`;
    const begin = paths[path].put;
    expect(beginning.status).toBe(201);
    expect(begin.requestBody.content['application/json'].example).toEqual(EXAMPLES[kind].begin);
    const example = begin.responses[201].content['application/json'].example;
    expect(JSON.parse(masked(JSON.stringify(beginning.body), epoch))).toEqual(
      JSON.parse(masked(JSON.stringify(example), EXAMPLE_EPOCH)),
    );
    const post = paths[`${path}/events`].post;
    const { batch, end } = post.responses[200].content['application/json'].examples;
    expect(batches).toEqual([
      { status: 200, body: batch.value },
      { status: 200, body: end.value },
    ]);
    const sent = post.requestBody.content['application/json'].examples;
    expect([sent.batch.value, sent.end.value]).toEqual([EXAMPLES[kind].batch, EXAMPLES[kind].end]);
    const shown = paths[path].get.responses[200].content['application/json'].example;
    expect(JSON.parse(masked(state, epoch))).toEqual(
      JSON.parse(masked(JSON.stringify(shown), EXAMPLE_EPOCH)),
    );
    const streamed = paths[`${path}/stream`].get.responses[200].content['text/event-stream'].example;
    expect(masked(stream, epoch)).toBe(masked(streamed, EXAMPLE_EPOCH));
  });

  test('the state and the messages of the server match the schemas', async () => {
    const checked = structuredClone(DOCUMENT);
    for (const [plural, kind] of KINDS) {
      const { state, stream } = await publishExample(plural, kind);
      const path = `/api/v0/executions/${plural}/{id}`;
      checked.paths[path].get.responses[200].content['application/json'].example = JSON.parse(state);
      const name = `${kind[0]!.toUpperCase()}${kind.slice(1)}Message`;
      const messages = [...stream.matchAll(/^id: (.+)\nevent: (.+)\ndata: (.+)\n\n/gm)];
      expect(messages).toHaveLength(4);
      checked.components.schemas[name].examples = messages.map(([, id, event, data]) => ({
        id,
        event,
        data: event === 'llm_chunk' ? data : JSON.parse(data!),
      }));
      await app.close();
      app = await startApp();
    }
    expect(await lint(checked)).toEqual([]);
    // The check detects a wrong example.
    checked.components.schemas.AgentMessage.examples[0].event = 'workflow_start';
    expect((await lint(checked)).join('\n')).toMatch(/no-invalid-schema-examples/);
  });

  test.each(KINDS)('a stream of %s is 204 after the end', async (plural, kind) => {
    const { path, epoch } = await publishExample(plural, kind);
    const response = await send(`${path}/stream`, { headers: { 'Last-Event-ID': `4-${epoch}` } });
    expect(response.status).toBe(204);
    expect(DOCUMENT.paths[`/api/v0/executions/${plural}/{id}/stream`].get.responses[204]).toBeDefined();
  });

  describe.each(KINDS)('%s: rejections', (plural, kind) => {
    const path = `/api/v0/executions/${plural}/report-42`;
    const template = `/api/v0/executions/${plural}/{id}`;
    /** Cases that were compared; at the end they must equal those of the document. */
    const compared = new Set<string>();

    async function compare(operation: string, response: Response, code: string): Promise<void> {
      const [method, of] = operation.split(' ') as [string, string];
      const documented =
        DOCUMENT.paths[`${template}${of.slice('…'.length)}`][method].responses[response.status];
      const { example, examples } = problemIn(documented);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      // The limit is the default in the document, and the configured one in the response.
      const shown = (problem: object) =>
        JSON.stringify(problem).replace(/limit is \d+ per/, 'limit is N per');
      expect(shown(await response.json())).toEqual(shown(examples?.[code].value ?? example));
      if (documented.headers?.['Retry-After']) expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
      compared.add(`${operation} ${response.status} ${code}`);
    }

    async function beginExample(): Promise<string> {
      const response = await send(path, { method: 'PUT', body: EXAMPLES[kind].begin });
      return ((await response.json()) as { token: string }).token;
    }

    const post = (token: string, body: unknown, url = app.url) =>
      send(`${path}/events`, { method: 'POST', body, headers: batchHeaders(token) }, url);

    test('every rejection in the document is the response of the server', async () => {
      const token = await beginExample();
      const nobody = `/api/v0/executions/${plural}/nobody`;

      await compare('get …/stream', await send(`${path}/stream?poll_ms=1`), 'BAD_USER_INPUT');
      await compare('get …/stream', await send(`${path}/stream?last_event_id=yesterday`), 'BAD_CURSOR');
      await compare('get …', await send(path.replace('-42', '%00')), 'BAD_USER_INPUT');
      await compare('get …', await send(nobody), 'NOT_FOUND');
      await compare('get …/stream', await send(`${nobody}/stream`), 'NOT_FOUND');
      const json = { headers: { accept: 'application/json' } };
      await compare('get …/stream', await send(`${path}/stream`, json), 'NOT_ACCEPTABLE');
      await using denied = await startApp({ store: app.store, authorize: () => ({ read: 'denied' }) });
      await compare('get …', await send(path, {}, denied.url), 'FORBIDDEN');
      await compare('get …/stream', await send(`${path}/stream`, {}, denied.url), 'FORBIDDEN');

      const put = (body: unknown) => send(path, { method: 'PUT', body });
      const begin = EXAMPLES[kind].begin;
      await compare('put …', await put('{"mode":'), 'BAD_USER_INPUT');
      await compare('put …', await put({ ...begin, tenant: 'other' }), 'FORBIDDEN');
      await compare('put …', await put({ ...begin, parentId: 'nobody' }), 'NOT_FOUND');
      await compare('put …', await put({ ...begin, input: 'x'.repeat(300_000) }), 'EVENT_TOO_LARGE');
      const zstd = { 'Content-Encoding': 'zstd' };
      await compare(
        'put …',
        await send(path, { method: 'PUT', body: begin, headers: zstd }),
        'BAD_USER_INPUT',
      );
      await compare('put …', await put({ ...begin, attempt: 0 }), 'BAD_USER_INPUT');

      const withoutHeaders = await send(`${path}/events`, { method: 'POST', body: EXAMPLES[kind].batch });
      await compare('post …/events', withoutHeaders, 'BAD_USER_INPUT');
      const unknown = await send(`${nobody}/events`, {
        method: 'POST',
        body: EXAMPLES[kind].batch,
        headers: batchHeaders(token),
      });
      await compare('post …/events', unknown, 'NOT_FOUND');
      const tooLarge = { events: [{ type: 'warning', data: { code: 'C', message: 'x'.repeat(300_000) } }] };
      await compare('post …/events', await post(token, tooLarge), 'EVENT_TOO_LARGE');
      const body = EXAMPLES[kind].batch;
      const unsupported = await send(`${path}/events`, {
        method: 'POST',
        body,
        headers: { ...batchHeaders(token), ...zstd },
      });
      await compare('post …/events', unsupported, 'BAD_USER_INPUT');
      const unknownType = { events: [{ type: 'nonsense', data: {} }] };
      await compare('post …/events', await post(token, unknownType), 'BAD_USER_INPUT');

      // Batches queue up after one whose append does not complete.
      const { append } = app.log;
      let resume = () => {};
      const slow = new Promise<void>((resolve) => {
        resume = resolve;
      });
      app.log.append = async (...sent) => {
        await slow;
        return append(...sent);
      };
      const posts = Array.from({ length: 20 }, () => post(token, { events: statusEvents(kind) }));
      await compare('post …/events', await Promise.race(posts), 'TOO_MANY_REQUESTS');
      resume();
      await Promise.all(posts);
      app.log.append = append;

      const second = await put({ ...begin, attempt: 2 });
      expect(second.status).toBe(201);
      await compare('post …/events', await post(token, EXAMPLES[kind].batch), 'SUPERSEDED');
      await compare('put …', await put({ ...begin, attempt: 1 }), 'SUPERSEDED');
      const { token: newer } = (await second.json()) as { token: string };
      expect((await post(newer, EXAMPLES[kind].end)).status).toBe(200);
      await compare('put …', await put(begin), 'ENDED');
      await compare('post …/events', await post(newer, EXAMPLES[kind].batch), 'ENDED');

      /** Expects that a server rejects every path with this code. */
      const compareAll = async (url: string, code: string) => {
        await compare('get …', await send(path, {}, url), code);
        await compare('get …/stream', await send(`${path}/stream`, {}, url), code);
        await compare('put …', await send(path, { method: 'PUT', body: begin }, url), code);
        await compare('post …/events', await post(token, EXAMPLES[kind].batch, url), code);
      };
      const guarded = { auth: { key: { shared: SHARED_KEY } } as never, serverLimits: ONE_STREAM };
      await using strict = await startApp(guarded);
      await directLog(strict, { id: 'report-42', kind });
      await compareAll(strict.url, 'UNAUTHENTICATED');
      const authorization = `Bearer ${await new SignJWT({ scope: 'read publish' })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject('ann')
        .setExpirationTime('5 min')
        .sign(new TextEncoder().encode(SHARED_KEY))}`;
      const openStream = await send(`${path}/stream`, { headers: { authorization } }, strict.url);
      const secondStream = await send(`${path}/stream`, { headers: { authorization } }, strict.url);
      await compare('get …/stream', secondStream, 'TOO_MANY_STREAMS');
      await openStream.body!.cancel();

      await using quick = await startApp({ ...guarded, serverLimits: ONE_PER_SECOND });
      await directLog(quick, { id: 'report-42', kind });
      const own = { headers: { authorization } };
      const overQuota = async (request: () => Promise<Response>) => {
        for (let i = 0; i < 10; i += 1) await (await request()).body?.cancel();
        return request();
      };
      await compare('get …', await overQuota(() => send(path, own, quick.url)), 'TOO_MANY_REQUESTS');
      const stream = await send(`${path}/stream`, own, quick.url);
      await compare('get …/stream', stream, 'TOO_MANY_REQUESTS');
      const beginning = () => send(path, { ...own, method: 'PUT', body: begin }, quick.url);
      await compare('put …', await overQuota(beginning), 'TOO_MANY_REQUESTS');

      // A real store without a database.
      const store = createPrismaStore({ url: 'postgres://127.0.0.1:1/none' });
      await using unavailable = await startApp({ store });
      await compareAll(unavailable.url, 'SOURCE_UNAVAILABLE');
      const headers = { 'Last-Event-ID': `1-${EXAMPLE_EPOCH}` };
      const reconnected = await send(`${path}/stream`, { headers }, unavailable.url);
      expect(reconnected.status).toBe(200);
      expect(await unfinishedText(reconnected)).toMatch(/^retry: 5000\n: .+\n\n$/);
      const ready = await send('/health/ready', {}, unavailable.url);
      expect(ready.status).toBe(503);
      expect(await ready.json()).toEqual(
        DOCUMENT.paths['/health/ready'].get.responses[503].content['application/json'].example,
      );

      await store.close();

      // Every case of the document was compared, except 405, which is compared for all paths above.
      const documented = ['', '/stream', '/events'].flatMap((of) =>
        Object.entries(DOCUMENT.paths[`${template}${of}`] as Json).flatMap(([method, operation]) =>
          Object.entries((operation as Json).responses).flatMap(([status, response]) => {
            const problem = problemIn(response);
            if (!problem || status === '405') return [];
            const codes = problem.examples ? Object.keys(problem.examples) : [problem.example.code];
            return codes.map((code: string) => `${method} …${of} ${status} ${code}`);
          }),
        ),
      );
      expect([...compared].toSorted()).toEqual(documented.toSorted());
    }, 30_000);
  });

  test('the health responses are those of the examples', async () => {
    for (const path of ['/health/live', '/health/ready']) {
      const { content } = DOCUMENT.paths[path].get.responses[200];
      expect(await (await send(path)).json()).toEqual(content['application/json'].example);
    }
  });
});

/** Events that can be sent repeatedly. */
function statusEvents(kind: ExecutionKind): object[] {
  return [{ type: `${kind}_status`, data: { status: 'RUNNING' } }];
}

describeBrowser('/docs', () => {
  test('/docs renders in a browser without errors and without requests to other hosts', async () => {
    await using browser = await launchBrowser();
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol !== 'data:' && origin !== app.url) problems.push(`a request to ${request.url()}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(`${app.url}/docs`);
    const operations = Object.values(DOCUMENT.paths as Json).flatMap((item) => Object.keys(item as object));
    await expect.poll(() => page.locator('.opblock').count(), { timeout: 15_000 }).toBe(operations.length);
    if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, 'docs.png') });
    await page.locator('#operations-executions-streamAgent button').first().click();
    const block = page.locator('#operations-executions-streamAgent');
    await block.getByText('event: llm_chunk').first().waitFor();
    await block.getByText('Service Unavailable').first().waitFor();
    if (process.env.SCREENSHOTS) {
      await page.screenshot({ path: join(process.env.SCREENSHOTS, 'docs-stream.png'), fullPage: true });
    }
    expect(await page.locator('.errors-wrapper').count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
