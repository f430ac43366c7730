// A browser's EventSource with authentication: by token, by cookie, and by a renewed cookie.
import { expect, test } from 'vitest';
import { chunk, directLog } from '../support/app.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';
import { startGuarded, tokenOf } from './guarded.ts';

const STREAM = '/api/v0/executions/agents/a1/stream';

/** The script of the page: JavaScript as source text, because it runs in the browser. */
const PAGE = `
  window.texts = [];
  window.mint = async (jwt, body) => {
    const headers = { Authorization: 'Bearer ' + jwt, 'Content-Type': 'application/json' };
    const response = await fetch('/api/v0/stream-tokens', { method: 'POST', headers, body: JSON.stringify(body) });
    return response.json();
  };
  window.open = (url) => {
    window.source = new EventSource(url);
    window.source.addEventListener('llm_chunk', (event) => window.texts.push(event.data));
  };
`;

describeBrowser('EventSource in Chromium', () => {
  async function watched() {
    const app = await startGuarded({ settings: { retryMs: 20 } });
    const log = await directLog(app, { tenant: 'acme' });
    const browser = await launchBrowser();
    const page = await browser.newPage();
    await page.goto(`${app.url}/health/live`);
    await page.evaluate(PAGE);
    const jwt = await tokenOf({ tenant: 'acme' });
    return {
      app,
      page,
      jwt,
      append: (text: string) => log.append(chunk(text)),
      shows: (...texts: string[]) => expect.poll(() => page.evaluate('window.texts')).toEqual(texts),
      state: () => page.evaluate('window.source.readyState'),
      [Symbol.asyncDispose]: async () => {
        await browser.close();
        await app.close();
      },
    };
  }

  test('a token in the URL serves reconnects until it is revoked, and a new one misses nothing', async () => {
    await using w = await watched();
    await w.append('1');
    const { token } = (await w.page.evaluate(
      `window.mint(${JSON.stringify(w.jwt)}, { executions: ['a1'] })`,
    )) as { token: string };
    await w.page.evaluate(`window.open(${JSON.stringify(`${STREAM}?access_token=${token}`)})`);
    await w.shows('1');
    w.app.services.streams.rotateAll();
    await w.append('2');
    await w.shows('1', '2');

    await w.app.services.streamTokens.revoke({ id: 'ann', tenant: 'acme' }, token);
    w.app.services.streams.rotateAll();
    await w.append('3');
    await expect.poll(w.state).toBe(2);
    const second = (await w.page.evaluate(
      `window.mint(${JSON.stringify(w.jwt)}, { executions: ['a1'] })`,
    )) as {
      token: string;
    };
    await w.page.evaluate(
      `window.open(${JSON.stringify(`${STREAM}?last_event_id=2&access_token=${second.token}`)})`,
    );
    await w.shows('1', '2', '3');
  });

  test('a stream whose cookie is renewed in time is not interrupted when the previous token expires', async () => {
    await using w = await watched();
    const renew = async () => {
      await w.page.evaluate(`window.mint(${JSON.stringify(w.jwt)}, { executions: ['a1'], cookie: true })`);
      const [cookie] = await w.page.context().cookies();
      expect(cookie).toMatchObject({
        name: 'execstream_token',
        httpOnly: true,
        secure: true,
        sameSite: 'Strict',
      });
      return cookie!.value;
    };
    const first = await renew();
    expect(await w.page.evaluate('document.cookie')).toBe('');
    await w.page.evaluate(`window.open(${JSON.stringify(STREAM)})`);
    await w.append('1');
    await w.shows('1');

    expect(await renew()).not.toBe(first);
    await w.app.services.streamTokens.revoke({ id: 'ann', tenant: 'acme' }, first);
    w.app.services.streams.rotateAll();
    await w.append('2');
    await w.shows('1', '2');
    expect(await w.state()).toBe(1);
  });
});
