// `execstream/worker/http` in an edge runtime: what a bundle contains, its size, and that it runs without Node's globals.
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import type worker from '../../examples/http-worker/worker.ts';
import { startApp } from '../support/app.ts';

async function bundle(entry: string, format: 'esm' | 'iife' = 'esm') {
  const options = { bundle: true, minify: true, target: 'es2022', write: false, metafile: true } as const;
  const entryPoints = [entry];
  const built = await build({ ...options, format, entryPoints, platform: 'browser', globalName: 'worker' });
  return { code: built.outputFiles[0]!.text, inputs: Object.keys(built.metafile.inputs) };
}

test('the bundle has no package but zod, no module of Node, and stays under 64 KB gzipped', async () => {
  const { code, inputs } = await bundle('src/worker-http.ts');
  const gzipped = gzipSync(code).length;
  const own = inputs.filter((path) => path.startsWith('src/'));
  console.log(
    `worker-http.ts: ${code.length} bytes, ${gzipped} gzipped, ${own.length} modules of execstream`,
  );
  expect(inputs.filter((path) => !/^(src|node_modules\/zod)\//.test(path))).toEqual([]);
  expect(
    own.filter((path) =>
      /^src\/(redis|graphql|rest|server|temporal|execution\/database|log\/redis)\//.test(path),
    ),
  ).toEqual([]);
  // `Buffer` is used where there is one, which the next test has not.
  expect(/\b(require|setImmediate|node:)\b/.exec(code)).toBeNull();
  expect(gzipped).toBeLessThan(64_000);
});

test('the example publishes in a context with nothing but the globals of edge runtimes, whose timers are numbers', async () => {
  await using app = await startApp();
  const timers = new Map<number, NodeJS.Timeout>();
  let last = 0;
  const timer =
    (start: typeof setTimeout | typeof setInterval) =>
    (callback: () => void, ms: number): number => {
      last += 1;
      timers.set(last, start(callback, ms));
      return last;
    };
  const clear = (id: number) => clearTimeout(timers.get(id));
  const web = {
    fetch,
    Request,
    Response,
    Headers,
    URL,
    URLSearchParams,
    AbortController,
    AbortSignal,
    TextEncoder,
  };
  const context = createContext({
    ...web,
    crypto,
    console,
    performance,
    queueMicrotask,
    setTimeout: timer(setTimeout),
    setInterval: timer(setInterval),
    clearTimeout: clear,
    clearInterval: clear,
  });
  const { code } = await bundle('examples/http-worker/worker.ts', 'iife');
  runInContext(`${code}; globalThis.worker = worker;`, context);
  const { default: handler } = (context as { worker: { default: typeof worker } }).worker;
  const background: Promise<unknown>[] = [];
  const waitUntil = (promise: Promise<unknown>) => void background.push(promise);
  const request = new Request('https://edge.example/?id=poem-1', { method: 'POST' });
  const response = await handler.fetch(request, { STREAMS_URL: app.url }, { waitUntil });
  expect(response.status).toBe(202);
  await Promise.all(background);
  const { stream } = (await response.json()) as { stream: string };
  const events = await (await fetch(stream)).text();
  expect(events).toContain('data: Roses are red,');
  expect(events).toContain('event: complete');
});
