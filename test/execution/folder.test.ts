// PGlite in a folder: what was written stays, and one server alone has the folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPrismaStore } from '../../src/execution/prisma.ts';

let dataDir: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'execstream-folder-')), 'not', 'there', 'yet');
});

afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
  rmSync(join(dataDir, '../../..'), { recursive: true, force: true });
});

/** A process that writes one row to the folder, says so, and stays. */
async function startWriter(): Promise<ChildProcess> {
  const script = `
    import { createPrismaStore } from './src/execution/prisma.ts';
    const store = createPrismaStore({ dataDir: ${JSON.stringify(dataDir)} });
    await store.begin({ id: 'kept', kind: 'task', mode: 'TEXT' });
    process.stdout.write('written');
    setInterval(() => {}, 1000);`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  child = started;
  await once(started.stdout, 'data');
  return started;
}

test('a row outlives the process that wrote it, though it is killed, and a killed server’s lock is taken over', async () => {
  const writer = await startWriter();
  const early = createPrismaStore({ dataDir });
  await expect(early.get('kept')).rejects.toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
    message: expect.stringContaining(`Process ${writer.pid} has this folder in use`),
  });
  writer.kill('SIGKILL');
  await once(writer, 'exit');
  // The same store: a server that waits for its predecessor to go needs no restart.
  expect((await early.get('kept'))?.attempt).toBe(1);
  await early.finish('kept', 1, { status: 'SUCCESS', result: 'x' });
  await early.close();
  const again = createPrismaStore({ dataDir });
  expect((await again.get('kept'))?.result).toBe('x');
  await again.close();
}, 60_000);

test('two stores of one process do not share a folder, and a closed one leaves no lock', async () => {
  const first = createPrismaStore({ dataDir });
  await first.ready();
  const second = createPrismaStore({ dataDir });
  await expect(second.ready()).rejects.toThrow(`Process ${process.pid} has this folder in use`);
  await first.close();
  expect(existsSync(join(dataDir, 'pglite.lock'))).toBe(false);
  await second.ready();
  await second.close();
}, 60_000);

test.each([
  ['of a container before us with our own pid', JSON.stringify({ pid: process.pid, host: hostname() })],
  ['of another host', JSON.stringify({ pid: 1, host: 'another' })],
  ['that a crash cut short', '{"pid":'],
])('a lock %s counts as left behind', async (_, text) => {
  const { holdFolder } = await import('../../src/execution/folder.ts');
  const file = join(dataDir, '../../..', 'x.lock');
  writeFileSync(file, text);
  const release = await holdFolder(file);
  await release();
  expect(existsSync(file)).toBe(false);
});
