// Chromium starts on this machine and shows a page.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { describeBrowser, launchBrowser } from './chromium.ts';

describeBrowser('Chromium', () => {
  test('opens a page of a local server and runs its script', async () => {
    const page = '<title>loading</title><script>document.title = "ready " + (6 * 7)</script>';
    const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(page));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await using browser = await launchBrowser();
      const tab = await browser.newPage();
      await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      expect(await tab.title()).toBe('ready 42');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
