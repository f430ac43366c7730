// GraphiQL in a real browser: it runs a subscription, shows events, and sends no request to any other host.
import { expect, test } from 'vitest';
import { chunk, directLog, graphqlPath, startApp } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';

describeBrowser('GraphiQL in a browser', () => {
  test('GraphiQL runs a subscription and shows events as they arrive, without any other host', async () => {
    await using app = await startApp();
    const log = await directLog(app);
    await log.append(chunk('Hello, GraphiQL'));
    await using browser = await launchBrowser();
    const page = await browser.newPage();
    const hosts = new Set<string>();
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));

    const query = 'subscription Watch { agentStream(id: "a1") { id type ... on LlmChunkEvent { content } } }';
    await page.goto(app.url + graphqlPath(query));
    await page.locator('.graphiql-execute-button').click();
    // The editor shows spaces as U+00A0.
    const result = async () =>
      ((await page.locator('.result-window').textContent()) ?? '').replaceAll('\u00a0', ' ');
    await expect.poll(result, { timeout: 10_000 }).toContain('Hello, GraphiQL');
    // The stream is live: an event that is published now is shown.
    await log.append(chunk(' and more'));
    await expect.poll(result, { timeout: 5_000 }).toContain(' and more');
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
    await log.complete();
    await expect.poll(result, { timeout: 5_000 }).toContain('COMPLETE');
    await expect.poll(() => app.services.tails.size).toBe(0);
    expect([...hosts].filter((host) => host !== '' && host !== new URL(app.url).host)).toEqual([]);
    expect(problems).toEqual([]);
  });
});
