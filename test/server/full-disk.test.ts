// A disk that fills up under the embedded database: the server keeps serving, reports the reason, and can be stopped.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/wait.ts';
import { type ServerProcess, startProcess } from './process.ts';

let folder: string;
let server: ServerProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'execstream-full-'));
  const preload = fileURLToPath(new URL('full-disk.cjs', import.meta.url));
  server = await startProcess(
    {
      DATA_DIR: join(folder, 'data'),
      FULL_DISK: join(folder, 'full'),
      NODE_OPTIONS: `--require ${preload}`,
      DRAIN_MS: '1000',
    },
    'command',
  );
  await until(async () => (await ready()).status === 200, {
    what: 'the server to be ready',
    timeoutMs: 60_000,
  });
}, 90_000);

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const fill = (files: 'pg_wal' | 'base') => writeFileSync(join(folder, 'full'), files);
const free = () => rmSync(join(folder, 'full'));

async function ready() {
  const response = await fetch(`${server.url}/health/ready`, { signal: AbortSignal.timeout(10_000) });
  return { status: response.status, text: await response.text() };
}

/** Begins an execution; returns the status and text of the response. */
async function begin(id: string, input?: unknown): Promise<{ status: number; text: string }> {
  const response = await fetch(`${server.url}/api/v0/executions/tasks/${id}`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ mode: 'TEXT', input }),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, text: await response.text() };
}

test('a write without disk space fails with that reason, and reads continue', async () => {
  expect((await begin('before')).status).toBe(201);
  fill('base');
  try {
    // More than fits into the free pages of a table.
    const input = randomBytes(100_000).toString('base64');
    expect(await begin('large', input)).toEqual({
      status: 503,
      text: expect.stringContaining('database of executions has no disk space left'),
    });
    expect((await fetch(`${server.url}/api/v0/executions/tasks/before`)).status).toBe(200);
  } finally {
    free();
  }
  expect((await begin('small')).status).toBe(201);
}, 60_000);

test('a server with a full disk under PGlite stays live, reports why it is not ready, and recovers when there is space', async () => {
  fill('pg_wal');
  expect((await begin('full')).status).toBe(503);
  const live = await fetch(`${server.url}/health/live`, { signal: AbortSignal.timeout(2_000) });
  expect(live.status).toBe(200);
  expect(await ready()).toEqual({
    status: 503,
    text: expect.stringContaining('embedded database failed and is being restarted: No space left on device'),
  });

  free();
  await expect.poll(async () => (await ready()).status, { timeout: 60_000 }).toBe(200);
  const row = await fetch(`${server.url}/api/v0/executions/tasks/before`);
  expect([row.status, ((await row.json()) as { status: string }).status]).toEqual([200, 'RUNNING']);
  expect((await begin('after')).status).toBe(201);
}, 120_000);

test('a server whose disk is full under PGlite ends on SIGTERM', async () => {
  fill('pg_wal');
  expect((await begin('full-again')).status).toBe(503);
  const started = performance.now();
  const ended = await Promise.race([
    server.drain(),
    new Promise((resolve) => setTimeout(resolve, 20_000, 'did not end')),
  ]);
  expect(ended).toBe('code 0');
  expect(performance.now() - started).toBeLessThan(10_000);
}, 60_000);
