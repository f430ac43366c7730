// PGlite in a folder: what was written stays, and one server alone has the folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { lockDataDir, type Release } from '../../src/execution/database/pglite-lock.ts';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';

let parent: string;
let dataDir: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'execstream-folder-'));
  dataDir = join(parent, 'not', 'there', 'yet');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(parent, { recursive: true, force: true });
});

/** A process that runs a script, and what it writes first. */
async function run(script: string): Promise<{ child: ChildProcess; said: string }> {
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const [said] = await once(child.stdout!, 'data');
  return { child, said: String(said) };
}

/** A process that tries to hold a folder, writes `held` or the error's message, and stays. */
function startHolder(folder: string) {
  return run(`
    import { lockDataDir } from './src/execution/database/pglite-lock.ts';
    process.stdout.write(await lockDataDir(${JSON.stringify(folder)}).then(() => 'held', (error) => error.message));
    setInterval(() => {}, 1000);`);
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const locksIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.lock'));

test('a row outlives the process that wrote it, though it is killed, and a killed server’s lock is taken over', async () => {
  const { child: writer } = await run(`
    import { createPrismaStore } from './src/execution/prisma-store.ts';
    const store = createPrismaStore({ dataDir: ${JSON.stringify(dataDir)} });
    await store.begin({ id: 'kept', kind: 'task', mode: 'TEXT' });
    process.stdout.write('written');
    setInterval(() => {}, 1000);`);
  const early = createPrismaStore({ dataDir });
  await expect(early.get('kept')).rejects.toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
    message: expect.stringContaining(`Process ${writer.pid} is using the data folder`),
  });
  await end(writer);
  // The same store: a server that waits for its predecessor to go needs no restart.
  expect((await early.get('kept'))?.attempt).toBe(1);
  await early.finish('kept', 1, { status: 'SUCCESS', result: 'x' });
  await early.close();
  const again = createPrismaStore({ dataDir });
  expect((await again.get('kept'))?.result).toBe('x');
  await again.close();
}, 90_000);

test('two stores of one process do not share a folder, and a closed one leaves no lock', async () => {
  const first = createPrismaStore({ dataDir });
  await first.ready();
  const second = createPrismaStore({ dataDir });
  await expect(second.ready()).rejects.toThrow(`Process ${process.pid} is using the data folder`);
  await first.close();
  expect(locksIn(dataDir)).toEqual([]);
  await second.ready();
  await second.close();
}, 90_000);

describe('the lock of a folder', () => {
  beforeEach(() => {
    mkdirSync(dataDir, { recursive: true });
  });

  test('is free as soon as its holder is killed, though another process has the same pid by then', async () => {
    const { child, said } = await startHolder(dataDir);
    expect(said).toBe('held');
    await expect(lockDataDir(dataDir)).rejects.toThrow(`Process ${child.pid} is using`);
    await end(child);
    // What is left is a lock file; this process stands for any that has got the pid in its name.
    const [left] = locksIn(dataDir);
    renameSync(join(dataDir, left!), join(dataDir, left!.replace(`${child.pid}`, `${process.pid}`)));
    const release = await lockDataDir(dataDir);
    expect(locksIn(dataDir)).toHaveLength(1);
    await release();
    expect(locksIn(dataDir)).toEqual([]);
  });

  test('is kept by a holder that is suspended and cannot answer', async () => {
    const { child } = await startHolder(dataDir);
    child.kill('SIGSTOP');
    await expect(lockDataDir(dataDir)).rejects.toThrow(`Process ${child.pid} is using`);
    child.kill('SIGCONT');
  });

  test('is seen through any path to the folder, however long', async () => {
    const long = join(parent, 'x'.repeat(100), 'y'.repeat(100));
    mkdirSync(long, { recursive: true });
    const { child } = await startHolder(long);
    await expect(lockDataDir(long)).rejects.toThrow(`Process ${child.pid} is using`);
    symlinkSync(long, join(parent, 'short'));
    await expect(lockDataDir(join(parent, 'short'))).rejects.toThrow(`Process ${child.pid} is using`);
    await end(child);
    const release = await lockDataDir(long);
    await release();
    expect(locksIn(long)).toEqual([]);
  });

  test('goes to one of many that start at the same time, and so does that of a dead holder', async () => {
    for (const round of [1, 2, 3]) {
      const starters = Array.from({ length: 6 }, () => lockDataDir(dataDir));
      const settled = await Promise.allSettled(starters);
      const held = settled.filter(
        (outcome): outcome is PromiseFulfilledResult<Release> => 'value' in outcome,
      );
      // All may have withdrawn; two may never hold it.
      expect(held.length, `round ${round}`).toBeLessThanOrEqual(1);
      for (const { value: release } of held) await release();
    }
    const { child } = await startHolder(dataDir);
    await end(child);
    const processes = await Promise.all(Array.from({ length: 4 }, () => startHolder(dataDir)));
    const holders = processes.filter(({ said }) => said === 'held');
    expect(holders.length).toBeLessThanOrEqual(1);
    for (const { child } of processes) await end(child);
    await (await lockDataDir(dataDir))();
  }, 60_000);

  test('of an older version, or cut short, is no lock', async () => {
    writeFileSync(join(dataDir, 'pglite.lock'), '{"pid":');
    writeFileSync(join(dataDir, 'pglite-1-00000000.lock'), '');
    await (await lockDataDir(dataDir))();
  });

  test('is kept in the folder for temporary files where the file system has no sockets', async () => {
    const listen = Server.prototype.listen;
    const spy = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (
      this: Server,
      ...args: unknown[]
    ) {
      const [{ path }] = args as [{ path: string }];
      if (!path.startsWith(dataDir)) return Reflect.apply(listen, this, args);
      setImmediate(() => this.emit('error', Object.assign(new Error('listen'), { code: 'EOPNOTSUPP' })));
      return this;
    });
    vi.stubEnv('TMPDIR', parent);
    try {
      const release = await lockDataDir(dataDir);
      expect(locksIn(dataDir)).toEqual([]);
      await expect(lockDataDir(dataDir)).rejects.toThrow(`Process ${process.pid} is using`);
      await release();
      await (await lockDataDir(dataDir))();
    } finally {
      spy.mockRestore();
      vi.unstubAllEnvs();
    }
  });
});
