// The console at `/` in a real browser, with the demo's executions.
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';
import { type Demo, startDemo } from './process.ts';

describeBrowser('console', () => {
  let demo: Demo;
  let url: string;
  let browser: Browser;

  beforeAll(async () => {
    demo = await startDemo([join(import.meta.dirname, '../../prisma'), '--pace', '3']);
    [, url] = (await demo.prints(/Console +(http:\S+)\/\n/, 60_000)) as unknown as [string, string];
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await demo?.[Symbol.asyncDispose]();
  });

  /** Opens a page. Browser console errors and requests to other hosts are recorded as problems. */
  async function openPage(): Promise<{ page: Page; problems: string[] }> {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol !== 'data:' && origin !== url) problems.push(`a request to ${request.url()}`);
    });
    return { page, problems };
  }

  test('the console lists the executions and follows an agent to its end while it writes', async () => {
    const { page, problems } = await openPage();
    await page.goto(`${url}/`);
    const link = page.locator('#executions a', { hasText: '-report' }).first();
    await link.waitFor({ timeout: 20_000 });
    await link.click();

    await page.locator('#connection', { hasText: 'live' }).waitFor();
    const text = page.locator('#text');
    await expect.poll(async () => (await text.textContent())?.length ?? 0).toBeGreaterThan(20);
    const firstText = (await text.textContent())!;
    await expect.poll(async () => (await text.textContent())!.length).toBeGreaterThan(firstText.length);
    expect((await text.textContent())!.startsWith(firstText)).toBe(true);

    await page.locator('#connection', { hasText: 'ended' }).waitFor({ timeout: 15_000 });
    expect(await page.locator('#status').textContent()).toBe('success');
    const id = decodeURIComponent(new URL(page.url()).hash.replace('#agent/', ''));
    const response = await fetch(`${url}/api/v0/executions/agents/${id}`);
    const state = (await response.json()) as { result: string; lastCursor: string };
    expect(await text.textContent()).toBe(state.result);
    expect(await page.locator('#cursor').textContent()).toBe(state.lastCursor);
    expect(await page.locator('#timeline li').last().textContent()).toContain('complete');
    expect(await page.locator('#curl').textContent()).toBe(
      `curl -N '${url}/api/v0/executions/agents/${id}/stream'`,
    );
    expect(problems).toEqual([]);
    await page.close();
  });

  test('the console builds a structured value from its patches, and shows the same value after a reload', async () => {
    const { page, problems } = await openPage();
    await page.goto(`${url}/`);
    await page.getByLabel('Agents').check();
    await page.locator('#executions a', { hasText: '-contents' }).first().click();
    await page.locator('#connection', { hasText: 'ended' }).waitFor({ timeout: 15_000 });
    const id = decodeURIComponent(new URL(page.url()).hash.replace('#agent/', ''));
    const { result } = (await (await fetch(`${url}/api/v0/executions/agents/${id}`)).json()) as {
      result: unknown;
    };
    const shownValue = async () => JSON.parse((await page.locator('#value').textContent()) || 'null');
    expect(await shownValue()).toEqual(result);
    await page.reload();
    await expect.poll(shownValue).toEqual(result);
    expect(problems).toEqual([]);
    await page.close();
  });

  test("the console links a workflow's children, which can be opened with the keyboard", async () => {
    const { page, problems } = await openPage();
    await page.goto(`${url}/`);
    await page.getByLabel('Workflows').check();
    await page.locator('#executions a', { hasText: 'workflow ·' }).first().press('Enter');
    await expect.poll(() => page.locator('#executions a', { hasNotText: 'workflow ·' }).count()).toBe(0);
    const child = page.locator('#children a').first();
    await child.waitFor();
    await child.press('Enter');
    await expect.poll(() => page.url()).toContain('#task/');
    await page.locator('#facts a', { hasText: 'digest-' }).waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  test('the console handles a reset, a gap, patches and a failure, and shows them as text', async () => {
    const { page, problems } = await openPage();
    const html = '<img src=x onerror="document.title = 1">';
    const path = '**/api/v0/executions/agents/made-up';
    const state = { id: 'made-up', name: html, status: 'RUNNING', mode: 'TEXT', attempt: 2, children: [] };
    await page.route(path, (route) =>
      route.fulfill({
        json: { ...state, parent: null, durationMs: null, startedAt: '2026-01-01T00:00:00Z' },
      }),
    );
    const events: [type: string, data: unknown][] = [
      ['llm_chunk', 'void'],
      ['tool_call', { toolCallId: 't1', toolName: 'void', status: 'started' }],
      ['reset', { reason: 'attempt' }],
      ['llm_chunk', 'one '],
      ['gap', { fromSeq: 4, toSeq: 9, text: ` two\n  ${html}` }],
      ['llm_chunk', '  three '],
      ['structured_delta', { patch: [{ op: 'replace', path: '', value: { 'a/b': [1, 2, 3], old: 1 } }] }],
      ['structured_delta', { patch: [{ op: 'remove', path: '/old' }] }],
      ['structured_delta', { patch: [{ op: 'replace', path: '/a~1b/0', value: 0 }] }],
      ['structured_delta', { patch: [{ op: 'add', path: '/a~1b/1', value: 'new' }] }],
      ['structured_delta', { patch: [{ op: 'remove', path: '/a~1b/3' }] }],
      ['tool_call', { toolCallId: 't2', toolName: html, status: 'failed', error: html }],
      ['warning', { code: 'W', message: html }],
      ['error', { status: 'TIMED_OUT', message: `too late ${html}`, durationMs: 5 }],
    ];
    const frames = events.map(([type, data], i) => {
      const text = typeof data === 'string' ? data : JSON.stringify(data);
      return `id: ${i + 1}-k3f9ab01zz\nevent: ${type}\ndata: ${text}\n\n`;
    });
    let connections = 0;
    await page.route(`${path}/stream`, (route) => {
      connections += 1;
      return route.fulfill({ contentType: 'text/event-stream', body: `retry: 10\n\n${frames.join('')}` });
    });

    await page.goto(`${url}/#agent/made-up`);
    await page.locator('#connection', { hasText: 'ended' }).waitFor();
    expect(await page.locator('#status').textContent()).toBe('timed out');
    expect(await page.locator('#text').textContent()).toBe(` two\n  ${html}  three `);
    expect(JSON.parse((await page.locator('#value').textContent())!)).toEqual({ 'a/b': [0, 'new', 2] });
    expect(await page.locator('#tools li').count()).toBe(1);
    expect(await page.locator('#result').textContent()).toBe(`too late ${html}`);
    expect(await page.locator('#cursor').textContent()).toBe('14-k3f9ab01zz');
    expect(await page.locator('main img').count()).toBe(0);
    // A source that is still open would have reconnected by now.
    await page.waitForTimeout(200);
    expect(connections).toBe(1);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('the console shows the progress that a task reports', async () => {
    const { page, problems } = await openPage();
    const path = '**/api/v0/executions/workflows/made-up';
    const state = { id: 'made-up', status: 'RUNNING', mode: 'STRUCTURED', attempt: 1, children: [] };
    await page.route(path, (route) =>
      route.fulfill({
        json: { ...state, parent: null, durationMs: null, startedAt: '2026-01-01T00:00:00Z' },
      }),
    );
    const task = { taskId: 'copy#1', status: 'RUNNING' };
    const data = [
      { ...task, progress: { copied: 3 } },
      { ...task, step: 'attempt 2', progress: [4, 'left'] },
      { ...task, progressOmitted: true, progressBytes: 5_000 },
      { ...task, progress: 0 },
    ];
    const frames = [...data, { message: 'no' }].map((each, i) => {
      const type = i < data.length ? 'task_status' : 'error';
      const fields = i < data.length ? each : { ...each, status: 'FAILED', durationMs: 5 };
      return `id: ${i + 1}-k3f9ab01zz\nevent: ${type}\ndata: ${JSON.stringify(fields)}\n\n`;
    });
    await page.route(`${path}/stream`, (route) =>
      route.fulfill({ contentType: 'text/event-stream', body: `retry: 10\n\n${frames.join('')}` }),
    );
    await page.goto(`${url}/#workflow/made-up`);
    await page.locator('#connection', { hasText: 'ended' }).waitFor();
    expect((await page.locator('#timeline .brief').allTextContents()).slice(0, data.length)).toEqual([
      ...['running · copy#1 · 3', 'running · attempt 2 · 4, left'],
      ...['running · copy#1 · (5 KiB, not shown)', 'running · copy#1 · 0'],
    ]);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('the console reports an unknown execution', async () => {
    const { page } = await openPage();
    await page.goto(`${url}/#agent/nobody`);
    await page.locator('#connection', { hasText: 'rejected' }).waitFor();
    expect(await page.locator('#facts').textContent()).toBe('no such execution: nobody');
    await page.close();
  });
});
