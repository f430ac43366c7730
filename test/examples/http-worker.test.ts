// examples/http-worker/lambda.ts: each invocation sends what it has published before it returns.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { handler } from '../../examples/http-worker/lambda.ts';
import { foldLog } from '../publish/fold.ts';
import { type ListeningApp, startApp } from '../support/app.ts';

let app: ListeningApp;
let invoke: typeof handler;
beforeAll(async () => {
  app = await startApp();
  vi.stubEnv('STREAMS_URL', app.url);
  invoke = (await import('../../examples/http-worker/lambda.ts')).handler;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await app.close();
});

test('the text of each invocation has reached the log when it returns, and the last one ends the execution', async () => {
  expect(await invoke({ id: 'steps', text: 'one ' })).toEqual({ isSent: true });
  expect((await foldLog(app.log, 'steps')).text).toBe('one ');
  expect(await invoke({ id: 'steps', text: 'two', isLast: true })).toEqual({ isSent: true });
  const { text, ends } = await foldLog(app.log, 'steps');
  expect(text).toBe('one two');
  expect(ends).toMatchObject([{ data: { result: 'one two' } }]);
});
