// Follows the README of examples/sse-browser literally, in a real browser.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { type Command, commandOf, hasProgram, outputOf, replaced, runCommand } from '../docs/blocks.ts';
import { startApp } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';
import { describeOwnRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';

/** The timeout of a page and a server on a busy machine. */
const SOON = { timeout: 10_000 };

const README = 'examples/sse-browser/README.md';

describeBrowser('examples/sse-browser', () => {
  let browser: Browser;
  let folder: string;
  let serving: Command;
  let page: Page;
  let pageUrl: string;
  let problems: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
    folder = mkdtempSync(join(tmpdir(), 'execstream-sse-browser-'));
    pageUrl = `http://localhost:${await freePort()}`;
    serving = runCommand(commandOf(README, 'serve.mjs'), { PORT: new URL(pageUrl).port });
    const printed = outputOf(README, 'http://localhost:8080/', true).replace(
      'http://localhost:8080',
      pageUrl,
    );
    expect((await serving.prints(/^http.+$/m))[0]).toBe(printed);
  });
  afterAll(async () => {
    await browser?.close();
    await serving?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens the page. Page errors and requests to other hosts are recorded in `problems`. */
  async function open(query: Record<string, string> = {}): Promise<void> {
    await page?.close();
    page = await browser.newPage();
    problems = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => {
      if (!/^(data:|http:\/\/(localhost|127\.0\.0\.1):)/.test(request.url())) problems.push(request.url());
    });
    await page.goto(`${pageUrl}/?${new URLSearchParams(query)}`);
  }

  const state = () => page.locator('#state').textContent();
  const content = () => page.locator('#content').textContent();
  const types = () => page.locator('#timeline li > :nth-child(2)').allTextContents();
  const seqs = async () => (await page.locator('#timeline li > :nth-child(1)').allTextContents()).map(Number);
  const screenshot = (name: string) =>
    page.screenshot({ path: join(process.env.SCREENSHOTS ?? folder, name) });

  test('a page follows a text and a value of `npm start`, selected in the form, to their ends', async () => {
    const port = String(await freePort());
    const command = replaced(commandOf(README, 'npm start'), { 'http://localhost:8080': pageUrl });
    await using demo = runCommand(command, { PORT: port, DATA_DIR: join(folder, 'demo') });
    const [, id] = await demo.prints(/agents\/(\S+-report)\/stream/, 90_000);
    await open();
    await page.locator('#server').fill(`http://localhost:${port}`);
    await page.locator('#id').fill(id!);
    await page.locator('button').click();
    await expect.poll(state, SOON).toBe('live');
    await expect.poll(async () => (await content())!.length, SOON).toBeGreaterThan(50);
    await expect.poll(state, { timeout: 30_000 }).toBe('ended: SUCCESS');
    const stateOf = async (of: string) =>
      (await (await fetch(`http://localhost:${port}/api/v0/executions/agents/${of}`)).json()) as {
        result: unknown;
        lastCursor: string;
      };
    const report = await stateOf(id!);
    expect(await content()).toBe(report.result);
    expect(await page.locator('#cursor').textContent()).toBe(report.lastCursor);
    expect((await types()).at(-1)).toBe('complete');
    await screenshot('text.png');

    const other = id!.replace('-report', '-contents');
    await open({ server: `http://localhost:${port}`, kind: 'agents', id: other });
    await expect.poll(state, { timeout: 30_000 }).toBe('ended: SUCCESS');
    expect(JSON.parse((await content())!)).toEqual((await stateOf(other)).result);
    await screenshot('value.png');
    expect(problems).toEqual([]);
  }, 120_000);

  describeOwnRedis('over Redis', () => {
    test.skipIf(!hasProgram('python3'))(
      'a page misses nothing when its server is killed and restarted',
      async () => {
        await using redis = await startRedis();
        const port = String(await freePort());
        const server = replaced(commandOf(README, 'execstream start'), {
          'redis://localhost:6379': redis.url,
          'npx execstream': `${process.execPath} bin/execstream.js`,
          'http://localhost:8080': pageUrl,
        });
        const env = {
          PORT: port,
          DATA_DIR: join(folder, 'data'),
          EXECSTREAM_URL: `http://localhost:${port}`,
        };
        await using first = runCommand(server, env);
        await first.prints(/"msg":"ready"/, 60_000);
        // While an embedded database is still starting, the worker's first request would fail and it would begin a
        // second attempt.
        const isReady = async () => (await fetch(`${env.EXECSTREAM_URL}/health/ready`)).ok;
        await until(isReady, { what: 'a ready database', timeoutMs: 60_000 });

        const publishing = commandOf(README, 'worker.py');
        await using worker = runCommand(publishing, env);
        const output = outputOf(README, 'attempt 1').replace('http://localhost:4000', env.EXECSTREAM_URL);
        await expect.poll(() => worker.stdout, { timeout: 15_000 }).toBe(`${output}\n`);
        const link = new URL(outputOf(README, '&kind=agents'));
        await open({ ...Object.fromEntries(link.searchParams), server: env.EXECSTREAM_URL });
        await expect.poll(async () => (await content())!.length, SOON).toBeGreaterThan(40);

        await first.end('SIGKILL');
        await expect.poll(state, SOON).toBe('disconnected; reconnecting');
        await screenshot('lost.png');
        const before = await content();
        await using second = runCommand(server, env);
        await second.prints(/"msg":"ready"/, 60_000);
        await expect.poll(state, { timeout: 20_000 }).toBe('live');
        await expect.poll(state, { timeout: 60_000 }).toBe('ended: SUCCESS');
        expect(await worker.exited).toBe(0);

        const text = (await content())!;
        expect(text).toBe(`${outputOf(README, 'Workers die')}\n`);
        expect(text.startsWith(before!)).toBe(true);
        const seen = await seqs();
        expect(seen).toEqual(seen.map((_, i) => i + 1));
        expect(await types()).not.toContain('reset');
        await screenshot('restarted.png');
        expect(problems).toEqual([]);
        expect(await second.end('SIGTERM')).toBe(0);
      },
      150_000,
    );
  });

  describe('other events', () => {
    test('a page starts over at a reset, preserves white space, and closes the stream at a failure', async () => {
      await using app = await startApp({ corsOrigins: [pageUrl] });
      const run = await app.publisher.begin({ id: 'a/1', kind: 'agent', attempt: 1 });
      await run.text('half of a ');
      await open({ server: app.url, kind: 'agents', id: 'a/1' });
      await expect.poll(content, SOON).toBe('half of a ');
      const secondRun = await app.publisher.begin({ id: 'a/1', kind: 'agent', attempt: 2 });
      await secondRun.text('  two\n\n\tlines <b>\n');
      await expect.poll(content, SOON).toBe('  two\n\n\tlines <b>\n');
      await secondRun.fail(new Error('out of luck'));
      await expect.poll(state, SOON).toBe('ended: FAILED, out of luck');
      expect(await types()).toEqual([
        'agent_start',
        'llm_chunk',
        'reset',
        'agent_start',
        'llm_chunk',
        'error',
      ]);
      expect(await page.locator('#timeline .void').count()).toBe(1);
    });

    test('a page shows a gap, applies patches after the next full value, and completes a text from the result', async () => {
      const log = createMemoryLog({ ...DEFAULT_BOUNDS, maxEvents: 4 });
      await using app = await startApp({ log, corsOrigins: [pageUrl], limits: { wholeValueEvery: 3 } });
      const value = await app.publisher.begin({ id: 's', kind: 'task', mode: 'STRUCTURED' });
      const text = await app.publisher.begin({ id: 't', kind: 'agent' });
      for (let i = 0; i < 12; i += 1) {
        await value.value({ list: Array.from({ length: i }, (_, j) => j) });
        await text.text(`${i} `);
        await text.warning('NOTE', `${i}`);
      }
      await until(() => value.stats.queuedBytes + text.stats.queuedBytes === 0, { what: 'empty outboxes' });
      await open({ server: app.url, kind: 'tasks', id: 's' });
      await expect.poll(types, SOON).toContain('gap');
      await value.value({ list: [2] });
      await value.value({ list: [2, 3] });
      await value.value({ list: [3] });
      await expect.poll(async () => JSON.parse((await content()) || 'null'), SOON).toEqual({ list: [3] });

      await open({ server: app.url, kind: 'agents', id: 't' });
      await expect.poll(types, SOON).toContain('gap');
      await text.complete();
      await expect.poll(state, SOON).toBe('ended: SUCCESS');
      expect(await content()).toBe('0 1 2 3 4 5 6 7 8 9 10 11 ');
    });

    test('a page reports an unknown execution and an origin that is not allowed', async () => {
      await using app = await startApp({ corsOrigins: [pageUrl] });
      await open({ server: app.url, kind: 'agents', id: 'nobody' });
      await expect.poll(state, SOON).toMatch(/^rejected/);
      await using otherServer = await startApp();
      await otherServer.publisher.begin({ id: 'a1', kind: 'agent' });
      await open({ server: otherServer.url, kind: 'agents', id: 'a1' });
      await expect.poll(state, SOON).toMatch(/^rejected/);
    });
  });
});
