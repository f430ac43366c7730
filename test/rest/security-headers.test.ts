// Security headers of responses, and the content security policies of the pages, enforced by a browser.
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { chunk, directLog, graphqlPath, startApp } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';
import { openSse } from '../support/sse.ts';

describe('every response', () => {
  test.each([
    ['the state of an execution', '/api/v0/executions/agents/a1'],
    ['a problem', '/nope'],
    ['GraphQL', graphqlPath('{ __typename }')],
    ['a GraphQL error', graphqlPath('{ nope }')],
    ['a stream', '/api/v0/executions/agents/a1/stream'],
    ['an invalid request', '/%'],
  ])('%s prevents MIME sniffing, framing and use by other sites', async (_, path) => {
    await using app = await startApp();
    await directLog(app);
    using stream = await openSse(app.url + path, { headers: { accept: '*/*' } });
    expect(stream.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': "frame-ancestors 'none'",
    });
  });

  test('a stream has the headers that PROTOCOL.md requires', async () => {
    await using app = await startApp();
    await directLog(app);
    using stream = await openSse(`${app.url}/api/v0/executions/agents/a1/stream`);
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
  });
});

describeBrowser('the pages in Chromium', () => {
  async function openPage(path: string) {
    const app = await startApp();
    const log = await directLog(app, { name: 'shown' });
    await log.append(chunk('Hello, page'));
    const browser = await launchBrowser();
    const page = await browser.newPage();
    const violations: string[] = [];
    await page.exposeFunction('report', (violation: string) => violations.push(violation));
    await page.addInitScript(
      `document.addEventListener('securitypolicyviolation', (e) =>
        report(e.effectiveDirective + ' ' + e.blockedURI + ' ' + e.sample + ' ' + e.sourceFile + ':' + e.lineNumber));`,
    );
    page.on('pageerror', (error) => violations.push(String(error)));
    const response = await page.goto(app.url + path);
    return {
      page,
      violations,
      policy: response!.headers()['content-security-policy']!,
      [Symbol.asyncDispose]: async () => {
        await browser.close();
        await app.close();
      },
    };
  }

  /** Expects that injected scripts do not run and that nothing is loaded from other hosts. */
  async function expectIsolated(page: Page, violations: string[]): Promise<void> {
    expect(violations).toEqual([]);
    await page.evaluate(`(() => {
      const script = document.createElement('script');
      script.textContent = 'window.injected = true';
      document.body.append(script);
      document.body.insertAdjacentHTML('beforeend', '<img src="http://127.0.0.1:1/x.png" onerror="window.injected = true">');
      fetch('http://127.0.0.1:1/').catch(() => {});
    })()`);
    await expect
      .poll(() => violations.map((text) => text.split(' ')[0]))
      .toEqual(expect.arrayContaining(['connect-src', 'img-src', 'script-src-elem']));
    expect(await page.evaluate('window.injected')).toBeUndefined();
  }

  test('the console follows an execution under a content security policy with hashes', async () => {
    await using w = await openPage('/#agent/a1');
    await expect.poll(() => w.page.locator('#text').textContent()).toBe('Hello, page');
    const background = 'getComputedStyle(document.body).display';
    expect(await w.page.evaluate(background), 'the style is applied').toBe('grid');
    expect(w.policy).not.toContain('unsafe');
    await expectIsolated(w.page, w.violations);
  });

  test('/docs renders the OpenAPI document', async () => {
    await using w = await openPage('/docs');
    await w.page.locator('.opblock').first().waitFor();
    await w.page.locator('.opblock-summary').first().click();
    await w.page.locator('.opblock-body').first().waitFor();
    expect(w.policy).not.toContain('unsafe');
    await expectIsolated(w.page, w.violations);
  });

  test('GraphiQL runs a query and starts the workers of its editor', async () => {
    await using w = await openPage(graphqlPath('{ executions { edges { node { name } } } }'));
    await w.page.locator('.graphiql-execute-button').click();
    await expect.poll(() => w.page.locator('.result-window').textContent()).toContain('shown');
    // Without its workers the editor neither checks nor completes.
    await expect.poll(() => w.page.workers().length).toBeGreaterThan(0);
    await expectIsolated(w.page, w.violations);
  });
});
