// The packed packages in bundles: a page, a function of an edge runtime, and a worker.
//
//   describeBundles(() => ({ parent, packages: [client, worker] }));
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startServer } from '../../scripts/server-process.ts';
import { chunk, directLog, type ListeningApp, startApp } from '../support/app.ts';
import { hasRollup } from '../support/bundlers.ts';
import { describeBrowser, launchBrowser } from '../support/chromium.ts';
import { until } from '../support/wait.ts';
import { describeWebFrameworks, FRAMEWORKS_FOLDER } from '../support/web-frameworks.ts';
import {
  type Bundler,
  bundleWithEsbuild,
  bundleWithRollup,
  bundleWithVite,
  type Target,
} from './bundlers.ts';
import { type Installation, linkPackages, unpack } from './installation.ts';

const BUNDLERS: readonly (readonly [name: string, bundler: Bundler, isInstalled: boolean])[] = [
  ['esbuild', bundleWithEsbuild, true],
  ['Vite', bundleWithVite, true],
  ['Rollup', bundleWithRollup, hasRollup],
];

/** @param setUp a temporary folder, and the packages; called when they are installed */
export function describeBundles(
  setUp: () => { readonly parent: string; readonly packages: readonly Installation[] },
): void {
  let project: string;
  let alone: string;
  beforeAll(() => {
    const { parent, packages } = setUp();
    project = join(parent, 'project-bundles');
    alone = join(parent, 'bundles');
    cpSync(join(import.meta.dirname, 'project'), project, { recursive: true });
    for (const { name, tarball } of packages) unpack(tarball, name, project);
    linkPackages(['react', 'react-dom', 'scheduler'], project);
  });

  describe.each(BUNDLERS)('%s', (name, bundler, isInstalled) => {
    /** The file, in a folder without packages. */
    async function bundle(target: Target): Promise<string> {
      const folder = join(alone, name, target);
      mkdirSync(folder, { recursive: true });
      const { file, warnings } = await bundler(project, target, folder);
      expect(warnings.filter((warning) => /execstream/.test(warning))).toEqual([]);
      return file;
    }

    describe.skipIf(!isInstalled)('installed', () => {
      describeBrowser('in Chromium', () => {
        withBrowser((browser) => {
          test('bundles the client and its hooks into a page that follows an execution', async () => {
            const file = await bundle('page');
            await using app = await startApp();
            const tab = await browser().newPage({ bypassCSP: true });
            await tab.goto(`${app.url}/health/live`);
            await tab.setContent('<div id="root"></div>');
            await expectFollowed(app, tab, () => tab.addScriptTag({ path: file, type: 'module' }));
            await tab.close();
          }, 60_000);
        });
      });

      test('bundles the worker over HTTP for an edge runtime, without a module or a global of Node', async () => {
        const file = await bundle('edge');
        expect(/\b(require|setImmediate)\(|['"]node:/.exec(readFileSync(file, 'utf8'))).toBeNull();
        await using app = await startApp();
        const script = `
          const { publish } = await import('${pathToFileURL(file)}');
          await publish('${app.url}', 'edge-1');`;
        await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
        await expectPublished(app, 'edge-1');
      }, 60_000);

      test('bundles the worker with everything that it imports', async () => {
        const file = await bundle('worker');
        expect(execFileSync(process.execPath, [file], { encoding: 'utf8' })).toBe('closed function agent\n');
      }, 120_000);
    });
  });

  describeWebFrameworks('Next', () => {
    describeBrowser('in Chromium', () => {
      withBrowser((browser) => {
        test.each([
          ['Turbopack', '--turbopack'],
          ['webpack', '--webpack'],
        ])(
          'bundles the client, its hooks, and both workers with %s',
          async (_, flag) => {
            linkPackages(['next'], project, FRAMEWORKS_FOLDER);
            rmSync(join(project, '.next'), { recursive: true, force: true });
            const port = await freePort();
            const url = `http://127.0.0.1:${port}`;
            await using app = await startApp({ corsOrigins: [url] });
            const next = join(project, 'node_modules/next/dist/bin/next');
            const { PATH, HOME } = process.env;
            const env = { PATH, HOME, NEXT_TELEMETRY_DISABLED: '1', NEXT_PUBLIC_STREAMS_URL: app.url };
            const built = await promisify(execFile)(process.execPath, [next, 'build', flag], {
              cwd: project,
              env,
            });
            expect(`${built.stdout}${built.stderr}`).not.toMatch(/warning|error|execstream-/i);
            const command = '/usr/bin/env';
            const start = ['start', '-H', '127.0.0.1', '-p', String(port)];
            const args = [`NEXT_PUBLIC_STREAMS_URL=${app.url}`, process.execPath, next, ...start];
            const server = await startServer({ command, args, folder: project, ready: /Ready in/ });
            try {
              const tab = await browser().newPage();
              await expectFollowed(app, tab, () => tab.goto(url));
              await tab.close();
              const post = async (path: string) => (await fetch(`${url}${path}`, { method: 'POST' })).text();
              expect(await post('/publish?id=edge-2')).toBe('published edge-2');
              await expectPublished(app, 'edge-2');
              expect(await post('/worker')).toBe('closed function agent');
            } finally {
              await server.end('SIGTERM');
            }
          },
          300_000,
        );
      });
    });
  });
}

function withBrowser(define: (browser: () => Browser) => void): void {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  define(() => browser);
}

/** Opens the page, which shows the execution a1, and publishes it while the page's connection is replaced. */
async function expectFollowed(app: ListeningApp, tab: Page, open: () => Promise<unknown>): Promise<void> {
  const untilText = (expected: string) =>
    until(async () => (await tab.locator('pre').textContent()) === expected, {
      what: `the text ${expected}`,
      timeoutMs: 20_000,
    });
  const execution = await directLog(app);
  await open();
  await execution.append(chunk('one'));
  await untilText('one');
  app.services.streams.rotateAll();
  await execution.append(chunk(' two'));
  await untilText('one two');
}

async function expectPublished(app: ListeningApp, id: string): Promise<void> {
  const events = await (await fetch(`${app.url}/api/v0/executions/agents/${id}/stream`)).text();
  expect(events).toContain(`data: from ${id}`);
  expect(events).toContain('event: complete');
}
