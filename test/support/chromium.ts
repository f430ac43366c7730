// A real browser for suites: Chromium, controlled by playwright-core, also for root and without internet access.
//
//   describeBrowser('the console', () => {
//     test('…', async () => {
//       await using browser = await launchBrowser();
//       const page = await browser.newPage();
import { type Browser, chromium } from 'playwright-core';
import { describe } from 'vitest';
import { CHROMIUM, findPart } from '../../scripts/test-services.ts';

const executablePath = findPart(CHROMIUM);

/** `describe` for suites that need a browser; skipped if Chromium is not installed. */
export const describeBrowser = describe.skipIf(executablePath === undefined);

/** Starts a headless Chromium with an empty profile. The test must close it: `await using`, or `close()`. */
export function launchBrowser(): Promise<Browser> {
  if (executablePath === undefined) throw new Error('Chromium not found; call this inside describeBrowser');
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      // Root cannot use the sandbox; containers have a small /dev/shm.
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      // Chromium's background requests fail in a closed network.
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
