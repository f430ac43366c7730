// The nginx configuration of docs/proxies.md: an EventSource in a browser, and other clients, through a restart of the
// only server. Skipped if nginx is not installed.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { blocksOf, replaced } from '../docs/blocks.ts';
import { type AppOptions, chunk, directLog, type ListeningApp, range, startApp } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { until } from '../support/wait.ts';

const hasNginx = spawnSync('nginx', ['-v']).status === 0;
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const { text: DOCUMENTED } = blocksOf('docs/proxies.md').find(({ language }) => language === 'nginx')!;

interface Nginx extends AsyncDisposable {
  readonly url: string;
  readonly errors: string;
}

/** Runs nginx with the documented server, in front of a port. */
async function startNginx(
  upstream: number,
  change: Record<string, string> = {},
  tls = false,
): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  const port = await freePort();
  let listen = `listen 127.0.0.1:${port};`;
  if (tls) {
    const key = ['-keyout', `${folder}/key.pem`, '-out', `${folder}/cert.pem`, '-subj', '/CN=localhost'];
    spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...key]);
    listen =
      `listen 127.0.0.1:${port} ssl http2;` +
      `ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`;
  }
  const server = replaced(DOCUMENTED, {
    'listen 80;': listen,
    '127.0.0.1:4000': `127.0.0.1:${upstream}`,
    ...change,
  });
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (of) => `${of}_temp_path ${folder}/${of};`,
  );
  const config = `daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
    worker_processes 1; events {} http { access_log off; ${paths.join(' ')}
    ${server} }`;
  writeFileSync(join(folder, 'nginx.conf'), config);
  const nginx = spawn(
    'nginx',
    ['-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`, '-g', 'user root;'],
    {
      stdio: 'inherit',
    },
  );
  const exited = once(nginx, 'exit');
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  const errors = () => readFileSync(join(folder, 'error.log'), 'utf8');
  await until(() => readFileSync(join(folder, 'pid'), 'utf8'), { what: 'nginx' });
  return {
    url,
    get errors() {
      return errors();
    },
    [Symbol.asyncDispose]: async () => {
      nginx.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

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

describe.skipIf(!hasNginx)('docs/proxies.md: nginx', () => {
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
        // Over HTTP/1.0 nginx takes the end of the connection for the end of the response.
        expect(nginx.errors.includes('upstream prematurely closed connection')).toBe(isLogged);
      },
    );

    test.skipIf(!hasOpenssl)(
      'an EventSource over HTTP/2 misses nothing, also in more than six tabs',
      async () => {
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
      },
    );
  });
});
