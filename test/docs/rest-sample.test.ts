// The sample of docs/rest.md in a browser: it continues after a status that makes EventSource give up, and stops after
// one that is final.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chunk, type DirectLog, directLog, type ListeningApp, startApp } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';
import { until } from '../support/wait.ts';
import { blocksOf } from './blocks.ts';

const { text: SAMPLE } = blocksOf('docs/rest.md').find(({ language }) => language === 'js')!;

/** The names that the sample uses without declaring them. */
const page = (id: string) => `<p id=o></p><script>
  const id = ${JSON.stringify(id)}, output = document.querySelector('#o'), errors = [];
  const showError = (status) => errors.push(status);
  ${SAMPLE}</script>`;

describeBrowser('docs/rest.md: the sample for browsers', () => {
  let app: ListeningApp;
  let log: DirectLog;
  beforeEach(async () => {
    app = await startApp({ settings: { retryMs: 50 } });
    log = await directLog(app);
  });
  afterEach(() => app.close());

  test('the sample continues at its cursor after a 502, and stops at the end', async () => {
    await using browser = await launchBrowser();
    const tab = await browser.newPage();
    const requests: string[] = [];
    let isUnavailable = false;
    await tab.route('**/stream*', (route) => {
      requests.push(`${route.request().method()} ${new URL(route.request().url()).search}`);
      return isUnavailable ? route.fulfill({ status: 502 }) : route.continue();
    });
    await tab.route('**/page', (route) => route.fulfill({ contentType: 'text/html', body: page('a1') }));
    await tab.goto(`${app.url}/page`);
    const text = () => tab.textContent('#o');
    await log.append(chunk('one '));
    await until(async () => (await text()) === 'one ', { what: 'the first chunk' });
    isUnavailable = true;
    app.services.streams.rotateAll();
    await until(() => requests.some((each) => each.startsWith('HEAD')), { what: 'the status' });
    isUnavailable = false;
    await log.append(chunk('two '));
    await until(async () => (await text()) === 'one two ', { what: 'the second chunk', timeoutMs: 10_000 });
    expect(requests.at(-1)).toBe(`GET ?last_event_id=1-${log.epoch}`);
    await log.complete();
    await until(() => app.services.streams.size === 0, { what: 'the end' });
    expect(await text()).toBe('one two ');
    expect(await tab.evaluate('errors')).toEqual([]);
  });

  test('the sample reports a status that is final', async () => {
    await using browser = await launchBrowser();
    const tab = await browser.newPage();
    await tab.route('**/page', (route) => route.fulfill({ contentType: 'text/html', body: page('nobody') }));
    await tab.goto(`${app.url}/page`);
    await until(async () => ((await tab.evaluate('errors')) as number[]).length > 0, { what: 'the error' });
    expect(await tab.evaluate('errors')).toEqual([404]);
  });
});
