// A real browser for suites: Chromium, driven by playwright-core, on machines that are root and have no internet.
//
//   describeBrowser('the console', () => {
//     test('…', async () => {
//       await using browser = await launchBrowser();
//       const page = await browser.newPage();
import { type Browser, chromium } from 'playwright-core';
import { describe } from 'vitest';
import { CHROMIUM, findPart } from '../../scripts/test-services.ts';

const executablePath = findPart(CHROMIUM);

/** `describe` for suites that need a browser; skipped where no Chromium is found. */
export const describeBrowser = describe.skipIf(executablePath === undefined);

/** Starts a headless Chromium with an empty profile. The test must close it: `await using`, or `close()`. */
export function launchBrowser(): Promise<Browser> {
  if (executablePath === undefined)
    throw new Error('no Chromium was found: this belongs inside describeBrowser');
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      // Root may not use the sandbox; containers have a small /dev/shm.
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      // Chromium's own errands need hosts that a closed network does not have.
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
