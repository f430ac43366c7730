// Pages of another origin in a real browser: preflights, streams, single connection mode and publishing (PROTOCOL.md,
// "CORS").
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bearer, type GuardedApp, startGuarded, tokenOf } from '../auth/guarded.ts';
import { chunk, directLog } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';

/** What the page passes to `fetch`. */
interface Init {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

describeBrowser('a page of another origin in Chromium', () => {
  let browser: Browser;
  let site: Server;
  let page: Page;
  let listed: GuardedApp;
  let unlisted: GuardedApp;

  beforeAll(async () => {
    browser = await launchBrowser();
    site = createServer((_, response) =>
      response.setHeader('content-type', 'text/html').end('<title>a</title>'),
    );
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
  });
  beforeEach(async () => {
    const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    listed = await startGuarded({ corsOrigins: [origin] });
    unlisted = await startGuarded({ corsOrigins: ['https://other.example'] });
    page = await browser.newPage();
    await page.goto(origin);
  });
  afterEach(async () => {
    await page.close();
    await listed.close();
    await unlisted.close();
  });

  /** Fetches from the page; returns the status, the body and what the page may read of the headers. */
  const fetchFrom = (url: string, init: Init = {}) =>
    page.evaluate(
      async ([to, options]) => {
        try {
          const response = await fetch(to, options);
          return {
            status: response.status,
            text: await response.text(),
            headers: Object.fromEntries(response.headers),
          };
        } catch (error) {
          return { status: 0, text: String(error), headers: {} as Record<string, string> };
        }
      },
      [url, init] as const,
    );

  const INSTRUMENTED = {
    'cache-control': 'no-cache',
    'x-requested-with': 'XMLHttpRequest',
    'apollo-require-preflight': 'true',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=1',
    baggage: 'b=2',
  };

  test('the page reads a stream with the headers of instrumented clients, and a quoted Accept', async () => {
    const log = await directLog(listed);
    await log.append(chunk('hello'));
    await log.complete();
    const authorization = bearer(await tokenOf());
    const path = '/api/v0/executions/agents/a1/stream';
    const headers = { ...authorization, ...INSTRUMENTED, 'last-event-id': '0' };
    const read = await fetchFrom(listed.url + path, { headers });
    expect([read.status, read.text]).toEqual([200, expect.stringContaining('data: hello')]);
    const accept = 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0",application/json';
    const queried = await fetchFrom(`${listed.url}/graphql`, {
      method: 'POST',
      headers: { ...headers, accept, 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __typename }' }),
    });
    expect([queried.status, queried.text]).toEqual([200, expect.stringContaining('Query')]);
    expect((await fetchFrom(unlisted.url + path, { headers })).text).toMatch(/TypeError: Failed to fetch/);
  });

  test('the page uses single connection mode', async () => {
    const url = `${listed.url}/graphql/stream`;
    const authorization = bearer(await tokenOf());
    const reserved = await fetchFrom(url, { method: 'PUT', headers: authorization });
    expect(reserved.status).toBe(201);
    const headers = { ...authorization, 'x-graphql-event-stream-token': reserved.text };
    const canceled = await fetchFrom(`${url}?operationId=1`, { method: 'DELETE', headers });
    // Unknown to the server, but not rejected by the browser.
    expect(canceled.status).toBeGreaterThan(0);
    const put = await fetchFrom(`${unlisted.url}/graphql/stream`, { method: 'PUT', headers: authorization });
    expect(put.status).toBe(0);
  });

  test('the page publishes with its own credentials', async () => {
    const authorization = bearer(await tokenOf({ scope: 'publish' }));
    const path = '/api/v0/executions/agents/a1';
    const init = { method: 'PUT', headers: authorization, body: '{"mode":"TEXT"}' };
    const created = await fetchFrom(listed.url + path, init);
    expect(created.status).toBe(201);
    const headers = {
      ...authorization,
      'publisher-token': (JSON.parse(created.text) as { token: string }).token,
      'publisher-head': '1',
      'idempotency-key': 'k',
    };
    const body = '{"events":[]}';
    expect((await fetchFrom(`${listed.url}${path}/events`, { method: 'POST', headers, body })).status).toBe(
      200,
    );
    expect((await fetchFrom(unlisted.url + path, init)).status).toBe(0);
  });

  test('the page reads rejections and their headers', async () => {
    const rejected = await fetchFrom(`${listed.url}/api/v0/executions/agents/a1`);
    expect([rejected.status, rejected.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    const headers = { ...bearer(await tokenOf()), traceparent: INSTRUMENTED.traceparent };
    const unknown = await fetchFrom(`${listed.url}/nope`, { headers });
    expect([unknown.status, JSON.parse(unknown.text)]).toEqual([
      404,
      expect.objectContaining({ code: 'NOT_FOUND' }),
    ]);
    const method = await fetchFrom(`${listed.url}/api/v0/executions/agents/a1/events`, { headers });
    expect([method.status, method.headers.allow]).toEqual([405, 'POST']);
  });

  test('a sandboxed frame, whose origin is null, reads nothing', async () => {
    const result = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          addEventListener('message', ({ data }) => resolve(data));
          const frame = document.createElement('iframe');
          frame.sandbox.add('allow-scripts');
          frame.srcdoc = `<script>fetch('${url}/openapi.json')
            .then(({ status }) => status, String).then((it) => parent.postMessage(it, '*'))</script>`;
          document.body.append(frame);
        }),
      listed.url,
    );
    expect(result).toMatch(/TypeError/);
  });
});
