// The client in Chromium: a server that is replaced, a page that is offline, frozen, hidden and loaded again.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client, FollowedExecution, TabSharing } from '../../src/client/index.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { chunk, directLog, startApp } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { until } from '../support/wait.ts';

/** Defined in the page. */
declare const execstream: { createClient(options: object): Client; shareTabs(): TabSharing };
declare const run: FollowedExecution;

const CLIENT = fileURLToPath(new URL('../../src/client', import.meta.url));

describeBrowser('in Chromium', () => {
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  let script: string;
  beforeAll(async () => {
    const options = {
      bundle: true,
      minify: true,
      format: 'iife',
      globalName: 'execstream',
      write: false,
    } as const;
    const contents = `export * from './index.ts'; export * from './tabs.ts';`;
    const built = await build({ ...options, stdin: { contents, resolveDir: CLIENT }, target: 'es2022' });
    script = `${built.outputFiles[0]!.text}; globalThis.execstream = execstream;`;
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  /** Opens a page of the server's origin that follows an execution. */
  async function openPage(url: string, context?: BrowserContext, delayMs = 50): Promise<Page> {
    const page = context ? await context.newPage() : await browser.newPage();
    await page.goto(`${url}/health/live`);
    await follow(page, delayMs);
    return page;
  }

  async function follow(page: Page, delayMs = 50): Promise<void> {
    await page.evaluate(script);
    await page.evaluate((firstMs) => {
      // sessionStorage exists in the page only.
      const { sessionStorage: storage } = globalThis as unknown as { sessionStorage: Storage };
      const backoff = { firstMs, maxMs: firstMs };
      const client = execstream.createClient({ url: '/', storage, backoff, tabs: execstream.shareTabs() });
      Object.assign(globalThis, { run: client.follow('agent', 'a1') });
    }, delayMs);
  }

  const textOf = (page: Page) => page.evaluate(() => run.state.text);
  const connectionOf = (page: Page) => page.evaluate(() => run.connection);
  const untilText = (page: Page, text: string, timeoutMs = 10_000) =>
    until(async () => (await textOf(page)) === text, { what: `the text "${text}"`, timeoutMs });

  test('a page has the exact text after its server was stopped and started again', async () => {
    const [log, store] = [createMemoryLog(), createMemoryStore()];
    const first = await startApp({ log, store, settings: { retryMs: 50 } });
    const execution = await directLog(first);
    const page = await openPage(first.url);
    await execution.append(chunk('one\r\n'));
    await untilText(page, 'one\r\n');
    await first.close();
    await until(async () => (await connectionOf(page)).status === 'waiting');
    await execution.append(chunk('☃ two'));
    await using second = await startApp({ log, store, port: Number(new URL(first.url).port) });
    await untilText(page, 'one\r\n☃ two');
    await execution.append(chunk(' three'));
    await execution.complete('one\r\n☃ two three');
    expect(await page.evaluate(() => run.ended)).toMatchObject({
      text: 'one\r\n☃ two three',
      status: 'SUCCESS',
    });
    expect(second.errors).toEqual([]);
    await page.close();
  }, 60_000);

  test('a page that was offline continues as soon as it is online', async () => {
    await using app = await startApp({ settings: { retryMs: 50 } });
    const execution = await directLog(app);
    const context = await browser.newContext();
    const page = await openPage(app.url, context, 1_000_000);
    await execution.append(chunk('one'));
    await untilText(page, 'one');
    await context.setOffline(true);
    app.services.streams.rotateAll();
    await until(async () => (await connectionOf(page)).status === 'waiting');
    await execution.append(chunk(' two'));
    await context.setOffline(false);
    await untilText(page, 'one two');
    await context.close();
  }, 60_000);

  test('a page that was frozen continues when it is resumed', async () => {
    await using app = await startApp({ settings: { retryMs: 50 } });
    const execution = await directLog(app);
    const page = await openPage(app.url);
    await execution.append(chunk('one'));
    await untilText(page, 'one');
    const session = await page.context().newCDPSession(page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    // Its connection is gone when it is resumed.
    app.services.streams.rotateAll();
    await execution.append(chunk(' two'));
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await untilText(page, 'one two');
    await execution.complete();
    expect(await page.evaluate(() => run.ended)).toMatchObject({ status: 'SUCCESS' });
    await page.close();
  }, 60_000);

  test('a page that is loaded again shows its text before it has a connection, and continues', async () => {
    await using app = await startApp();
    const execution = await directLog(app);
    const context = await browser.newContext();
    const page = await openPage(app.url, context);
    await execution.append(chunk('one'));
    await untilText(page, 'one');
    await page.reload();
    await context.setOffline(true);
    await follow(page);
    expect(await textOf(page)).toBe('one');
    await execution.append(chunk(' two'));
    await context.setOffline(false);
    await untilText(page, 'one two');
    await context.close();
  }, 60_000);

  test('eight tabs over HTTP/1.1 have one connection, which another tab takes over', async () => {
    await using app = await startApp({ settings: { retryMs: 50 } });
    const execution = await directLog(app);
    const context = await browser.newContext();
    const first = await openPage(app.url, context);
    await until(async () => (await connectionOf(first)).status === 'live');
    const others: Page[] = [];
    for (let i = 0; i < 7; i += 1) others.push(await openPage(app.url, context));
    await execution.append(chunk('one'));
    for (const page of [first, ...others]) await untilText(page, 'one');
    expect(app.services.streams.size).toBe(1);
    await first.close();
    await execution.append(chunk(' two'));
    for (const page of others) await untilText(page, 'one two');
    app.services.streams.rotateAll();
    await execution.append(chunk(' three'));
    for (const page of others) await untilText(page, 'one two three');
    await execution.complete();
    for (const page of others) {
      expect(await page.evaluate(() => run.ended)).toMatchObject({
        status: 'SUCCESS',
        text: 'one two three',
      });
    }
    await context.close();
  }, 90_000);
});
