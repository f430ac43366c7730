// Follows the README of examples/react literally, in a real browser, and what else happens to a page: a server that is
// killed, tokens that expire, tabs that are frozen, offline, or many.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { SHARED_KEY } from '../auth/guarded.ts';
import {
  blocksOf,
  type Command,
  commandOf,
  hasProgram,
  outputOf,
  ROOT,
  replaced,
  runCommand,
} from '../docs/blocks.ts';
import { type AppOptions, chunk, directLog, startApp, toolCall } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';
import { describeOwnRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';

/** The timeout of a page and a server on a busy machine. */
const SOON = { timeout: 15_000 };
const HEARTBEAT_MS = 1_000;

const FOLDER = join(ROOT, 'examples/react');
const README = 'examples/react/README.md';

/** A command of the README. */
function sh(command: string): string {
  expect(blocksOf(README)).toContainEqual({ language: 'sh', text: command });
  return command;
}

const sources = readdirSync(join(FOLDER, 'src')).filter((name) => name.endsWith('.tsx'));

describe('examples/react', () => {
  test('needs under 15 lines for execstream', () => {
    const lines = sources.flatMap((name) => {
      const code = readFileSync(join(FOLDER, 'src', name), 'utf8');
      const statements = /^import [^;]*'execstream[^;]*;|^const (?:client|heartbeatMs) = [^;]*;/gm;
      const uses = /^.*(?:\buse(?:Execution|Executions)\(|<\/?ExecstreamProvider\b).*$/gm;
      return [...code.matchAll(statements), ...code.matchAll(uses)].flatMap(([text]) => text.split('\n'));
    });
    console.log(`examples/react: ${lines.length} lines for execstream\n${lines.join('\n')}`);
    expect(lines.join('\n')).toMatch(/createClient[\s\S]*ExecstreamProvider/);
    expect(lines.length).toBeLessThan(15);
    expect(readFileSync(join(ROOT, README), 'utf8')).toContain(`needs ${lines.length} lines for execstream`);
  });

  test('compiles, and Vite builds it', () => {
    const run = (command: string, ...args: string[]) =>
      spawnSync(join(ROOT, 'node_modules/.bin', command), args, { cwd: ROOT, encoding: 'utf8' });
    expect(run('tsc', '--noEmit', '-p', FOLDER).stdout).toBe('');
    const outDir = mkdtempSync(join(tmpdir(), 'execstream-react-build-'));
    const { status, stderr } = run('vite', 'build', FOLDER, '--outDir', outDir, '--emptyOutDir');
    rmSync(outDir, { recursive: true });
    expect([status, stderr]).toEqual([0, '']);
  }, 90_000);
});

describeBrowser('examples/react in Chromium', () => {
  let browser: Browser;
  let folder: string;
  let vite: Command;
  let pageUrl: string;
  /** Vite's proxy leads here; each test starts its server on it. */
  let port: number;
  let context: BrowserContext;
  let problems: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
    folder = mkdtempSync(join(tmpdir(), 'execstream-react-'));
    port = await freePort();
    const vitePort = await freePort();
    vite = serve(sh('npx vite examples/react'), vitePort, {
      AUTH_SHARED_KEY: SHARED_KEY,
      TOKEN_SECONDS: '2',
    });
    pageUrl = await urlOf(vite);
    expect(pageUrl.replace(`${vitePort}`, '5173')).toBe(outputOf(README, 'http://localhost:5173/', true));
    // Vite bundles React when it is requested first, and loads the page again.
    const page = await browser.newPage();
    await page.goto(pageUrl);
    await page.locator('nav h1').waitFor({ timeout: 60_000 });
    await page.close();
  }, 150_000);
  afterAll(async () => {
    await browser?.close();
    await vite?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    await context?.close();
    expect(problems).toEqual([]);
  });

  /** Starts Vite with a command of the README, for the test's port of the server. */
  const serve = (command: string, vitePort: number, env: Record<string, string> = {}) =>
    runCommand(`${command} --port ${vitePort} --strictPort`, {
      EXECSTREAM_URL: `http://localhost:${port}`,
      VITE_HEARTBEAT_MS: `${HEARTBEAT_MS}`,
      ...env,
    });
  const urlOf = async (running: Command) => (await running.prints(/http:\/\/localhost:\d+\//, 60_000))[0];

  /** Opens the page in another tab of the test's browser context. */
  async function open(hash = '', url = pageUrl): Promise<Page> {
    if (!context?.browser()?.contexts().includes(context)) {
      context = await browser.newContext();
      problems = [];
    }
    const page = await context.newPage();
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      // Chromium reports responses of 500, which Vite sends while there is no server.
      const text = message.text();
      if (/error|warning/.test(message.type()) && !text.startsWith('Failed to load resource'))
        problems.push(text);
    });
    await page.goto(`${url}${hash}`);
    return page;
  }

  const startDemo = (command: string) =>
    runCommand(command, {
      PORT: `${port}`,
      DATA_DIR: join(folder, 'demo'),
      HEARTBEAT_MS: `${HEARTBEAT_MS}`,
    });
  const reportOf = async (demo: Command) => (await demo.prints(/agents\/(\S+-report)\/stream/, 90_000))[1]!;
  const startServer = (options: AppOptions = {}) =>
    startApp({ ...options, port, settings: { heartbeatMs: HEARTBEAT_MS, retryMs: 50, ...options.settings } });
  const text = (page: Page) => page.locator('#text').textContent();
  const connection = (page: Page) => page.locator('#connection').textContent();
  const status = (page: Page) => page.locator('#status').textContent();
  const screenshot = (page: Page, name: string) =>
    page.screenshot({ path: join(process.env.SCREENSHOTS ?? folder, name) });
  const untilText = (page: Page, expected: string) => expect.poll(() => text(page), SOON).toBe(expected);

  test('shows an agent of `npm start` to its end', async () => {
    await using demo = startDemo(sh('npm start'));
    const id = await reportOf(demo);
    const page = await open();
    await page.locator(`nav a[href="#${id}"]`).click(SOON);
    await expect.poll(() => connection(page), SOON).toBe('live');
    await expect.poll(async () => (await text(page))!.length, SOON).toBeGreaterThan(300);
    expect(await status(page)).toBe('RUNNING');
    await screenshot(page, 'running.png');
    await expect.poll(() => status(page), { timeout: 40_000 }).toBe('SUCCESS');
    const response = await fetch(`http://localhost:${port}/api/v0/executions/agents/${id}`);
    const { result } = (await response.json()) as { result: string };
    expect(await text(page)).toBe(result);
    expect(await page.locator('.tool').allTextContents()).toEqual([expect.stringContaining('rank_words')]);
    await screenshot(page, 'ended.png');
  }, 180_000);

  test('shows an agent of a server with authentication', async () => {
    const withKey = 'AUTH_SHARED_KEY=an-example-key-of-at-least-32-bytes';
    await using demo = startDemo(sh(`${withKey} npm start`));
    await using other = serve(sh(`${withKey} npx vite examples/react`), await freePort());
    const id = await reportOf(demo);
    expect((await fetch(`http://localhost:${port}/api/v0/executions/agents/${id}`)).status).toBe(401);
    const page = await open(`#${id}`, await urlOf(other));
    await expect.poll(() => connection(page), SOON).toBe('live');
    await expect.poll(async () => (await text(page))!.length, SOON).toBeGreaterThan(50);
    await page.locator(`nav a[href="#${id}"]`).waitFor(SOON);
  }, 150_000);

  describeOwnRedis('over Redis', () => {
    test.skipIf(!hasProgram('python3'))(
      'notices within 2.5 heartbeats that its server was killed, and misses nothing',
      async () => {
        await using redis = await startRedis();
        const command = replaced(commandOf(README, 'src/cli/main.ts start'), {
          'redis://localhost:6379': redis.url,
        });
        const url = `http://localhost:${port}`;
        const env = {
          PORT: `${port}`,
          DATA_DIR: join(folder, 'data'),
          EXECSTREAM_URL: url,
          HEARTBEAT_MS: `${HEARTBEAT_MS}`,
        };
        await using first = runCommand(command, env);
        const isReady = async () => (await fetch(`${url}/health/ready`)).ok;
        await until(isReady, { what: 'a ready database', timeoutMs: 90_000 });
        await using worker = runCommand(commandOf(README, 'worker.py'), env);
        await worker.prints(/attempt 1/);
        const page = await open(new URL(outputOf(README, '#poem-2')).hash);
        await expect.poll(async () => (await text(page))!.length, SOON).toBeGreaterThan(40);

        await first.end('SIGKILL');
        const killedAt = performance.now();
        await until(async () => (await connection(page)) !== 'live', { timeoutMs: 10_000 });
        const noticedMs = performance.now() - killedAt;
        console.log(`the page noticed after ${Math.round(noticedMs)} ms, with heartbeats of ${HEARTBEAT_MS}`);
        // The page measures from the last heartbeat, and this test polls.
        expect(noticedMs).toBeLessThan(2.5 * HEARTBEAT_MS + 500);
        await screenshot(page, 'waiting.png');
        const before = await text(page);
        await using second = runCommand(command, env);
        await second.prints(/"msg":"ready"/, 60_000);
        await expect.poll(() => connection(page), { timeout: 60_000 }).toBe('live');
        await screenshot(page, 'restarted.png');
        await expect.poll(() => status(page), { timeout: 60_000 }).toBe('SUCCESS');
        expect(await worker.exited).toBe(0);
        expect(await text(page)).toBe(`${outputOf(README, 'Workers die')}\n`);
        expect(outputOf(README, 'Workers die').startsWith(before!)).toBe(true);
        expect(await second.end('SIGTERM')).toBe(0);
      },
      240_000,
    );
  });

  test('gets another token when its token has expired', async () => {
    const auth = { key: { shared: SHARED_KEY }, clockSkewSeconds: 0 };
    await using app = await startServer({ auth, settings: { lifetimeMs: 3_000 } });
    const execution = await directLog(app);
    const page = await open('#a1');
    let tokens = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/token')) tokens += 1;
    });
    let expected = '';
    for (let i = 0; tokens < 3; i += 1) {
      await execution.append(chunk(`${i} ☃\r\n`));
      expected += `${i} ☃\r\n`;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await execution.complete(expected);
    await untilText(page, expected);
    await expect.poll(() => status(page), SOON).toBe('SUCCESS');
  }, 90_000);

  test('continues after it was frozen, offline, or loaded again', async () => {
    await using app = await startServer();
    const execution = await directLog(app);
    const page = await open('#a1');
    await execution.append(chunk('one'), toolCall());
    await untilText(page, 'one');

    const session = await context.newCDPSession(page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    app.services.streams.rotateAll();
    await execution.append(chunk(' two'));
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await untilText(page, 'one two');

    await context.setOffline(true);
    app.services.streams.rotateAll();
    await expect.poll(() => connection(page), SOON).toBe('waiting');
    await screenshot(page, 'offline.png');
    await execution.append(chunk(' three'));
    await context.setOffline(false);
    await untilText(page, 'one two three');

    await page.reload();
    await untilText(page, 'one two three');
    await execution.append(chunk(' four'));
    await execution.complete('one two three four');
    await untilText(page, 'one two three four');
    await expect.poll(() => status(page), SOON).toBe('SUCCESS');
  }, 90_000);

  test('has one stream in eight tabs over HTTP/1.1', async () => {
    await using app = await startServer();
    const execution = await directLog(app);
    const pages = [await open('#a1')];
    await expect.poll(() => connection(pages[0]!), SOON).toBe('live');
    while (pages.length < 8) pages.push(await open('#a1'));
    await execution.append(chunk('one'));
    for (const page of pages) await untilText(page, 'one');
    expect(app.services.streams.size).toBe(1);
    await pages[0]!.close();
    await execution.append(chunk(' two'));
    await execution.complete('one two');
    for (const page of pages.slice(1)) await untilText(page, 'one two');
  }, 120_000);

  test('shows an unknown agent, a retry of it, and an agent that failed', async () => {
    await using app = await startServer();
    const page = await open('#a1');
    await expect.poll(() => connection(page), SOON).toBe('failed');
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent', name: 'writer' });
    await run.toolCall({ toolCallId: 't1', toolName: 'search', status: 'failed', error: 'no network' });
    await run.warning('SLOW', 'the model is slow');
    await run.text('half of a ');
    await page.getByRole('button', { name: 'Retry' }).click();
    await untilText(page, 'half of a ');
    await run.fail(new Error('out of luck'));
    await expect.poll(() => page.locator('.failure').textContent(), SOON).toBe('out of luck');
    expect(await page.locator('.tool.failed').textContent()).toContain('no network');
    expect(await page.locator('.warning').textContent()).toBe('SLOW: the model is slow');
    await screenshot(page, 'failed.png');
  }, 60_000);
});
