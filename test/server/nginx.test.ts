// The nginx configuration of docs/proxies.md: an EventSource in a browser, and other clients, through a restart of the
// only server. Skipped if nginx is not installed.
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { type AppOptions, chunk, directLog, type ListeningApp, range, startApp } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { describeNginx, type Nginx, startNginx } from '../support/nginx.ts';
import { openSse } from '../support/sse.ts';
import { until } from '../support/wait.ts';

const PATH = '/api/v0/executions/agents/orders%2F42/stream';

/** Follows the stream in the page with one EventSource. */
const watch = `(() => {
  window.seen = []; window.ended = 0;
  const source = (window.source = new EventSource('${PATH}'));
  source.addEventListener('llm_chunk', ({ lastEventId, data }) => seen.push([Number.parseInt(lastEventId), data]));
  source.addEventListener('complete', () => { ended = 1; source.close(); });
  source.addEventListener('reset', () => seen.push('reset'));
  source.addEventListener('gap', () => seen.push('gap'));
})()`;

describeNginx('docs/proxies.md: nginx', () => {
  let options: AppOptions & { port: number };
  let app: ListeningApp;
  beforeEach(async () => {
    const settings = { retryMs: 100, heartbeatMs: 500 };
    options = { log: createMemoryLog(), store: createMemoryStore(), settings, port: await freePort() };
    app = await startApp(options);
  });
  afterEach(() => app.close());

  test('only a GET for an event stream gets 200 while the server is unreachable', async () => {
    await using nginx = await startNginx(options.port);
    await directLog(app, { id: 'orders/42' });
    expect((await fetch(nginx.url + PATH.replace('/stream', ''))).status).toBe(200);
    // A rejection by the server is not replaced.
    expect((await fetch(`${nginx.url}/api/v0/executions/agents/nobody`)).status).toBe(404);
    await app.close();
    const send = (init: RequestInit) => fetch(nginx.url + PATH, init);
    const stream = await send({ headers: { accept: 'text/event-stream' } });
    expect([stream.status, stream.headers.get('content-type'), await stream.text()]).toEqual([
      200,
      'text/event-stream',
      'retry: 2000\n\n',
    ]);
    expect((await send({ headers: { accept: 'application/json' } })).status).toBe(502);
    expect((await send({ method: 'POST', headers: { accept: 'text/event-stream' } })).status).toBe(502);
    app = await startApp(options);
  });

  test.each([
    ['1.1', {}, 'upstream prematurely closed connection'],
    ['1.0', { 'proxy_http_version 1.1;': 'proxy_http_version 1.0;' }, 'Connection reset by peer'],
  ])(
    'over HTTP/%s to the server, a rotation breaks the response of the client',
    async (_, change, reason) => {
      await using nginx = await startNginx(options.port, change);
      const log = await directLog(app, { id: 'orders/42' });
      await log.append(chunk('1'));
      using stream = await openSse(nginx.url + PATH);
      await stream.take(1);
      app.services.streams.rotateAll();
      expect(await stream.ended()).toBe('aborted');
      await until(() => nginx.errors.includes(reason), { what: reason });
      // The end of the execution finishes the response.
      using resumed = await openSse(nginx.url + PATH, { lastEventId: stream.lastEventId! });
      await log.complete();
      expect(await resumed.ended()).toBe('clean');
    },
  );

  describeBrowser('and Chromium', () => {
    /** Streams to a page through nginx, and restarts the server in the middle. */
    async function throughRestart(page: Page, nginx: Nginx): Promise<void> {
      const log = await directLog(app, { id: 'orders/42' });
      await page.goto(`${nginx.url}/health/live`);
      await page.evaluate(watch);
      const seen = () => page.evaluate('seen') as Promise<unknown[]>;
      for (let i = 1; i <= 20; i += 1) {
        await log.append(chunk(`${i}`));
        if (i === 5 || i === 15)
          await until(async () => (await seen()).length === i, { what: `${i} events` });
        if (i === 5) app.services.streams.rotateAll();
        if (i === 10) {
          await app.close();
          // It reconnects during the outage, and does not give up.
          const failed = 'connect() failed (111: Connection refused)';
          await until(() => nginx.errors.includes(failed), { what: 'a reconnect', timeoutMs: 10_000 });
          await until(() => page.evaluate('source.readyState === 0'), { what: 'the next reconnect' });
        }
        if (i === 12) app = await startApp(options);
      }
      await log.complete();
      await until(() => page.evaluate('ended'), { what: 'the end', timeoutMs: 15_000 });
      expect(await seen()).toEqual(range(1, 20).map((seq) => [seq, `${seq}`]));
    }

    test.each([
      ['HTTP/1.1', {}, true],
      ['HTTP/1.0 to the server', { 'proxy_http_version 1.1;': 'proxy_http_version 1.0;' }, false],
    ] as const)(
      'an EventSource over %s misses nothing through a rotation and a restart',
      async (_, change, isLogged) => {
        await using nginx = await startNginx(options.port, change);
        await using browser = await launchBrowser();
        await throughRestart(await browser.newPage(), nginx);
        // Over HTTP/1.0 the server resets the connection.
        expect(nginx.errors.includes('upstream prematurely closed connection')).toBe(isLogged);
      },
    );

    test('an EventSource over HTTP/2 misses nothing, also in more than six tabs', async () => {
      await using nginx = await startNginx(options.port, {}, true);
      await using browser = await launchBrowser();
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      for (let i = 0; i < 8; i += 1) {
        const other = await context.newPage();
        await other.goto(`${nginx.url}/health/live`);
        await other.evaluate(watch);
      }
      const page = await context.newPage();
      await throughRestart(page, nginx);
      const protocols =
        'performance.getEntriesByType("navigation").map(({ nextHopProtocol }) => nextHopProtocol)';
      expect(await page.evaluate(protocols)).toEqual(['h2']);
    });
  });
});
