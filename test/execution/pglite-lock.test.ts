// PGlite in a data directory: rows are durable, and only one server uses the directory at a time.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { lockDataDir, type Release } from '../../src/execution/database/pglite-lock.ts';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { compiledProgram } from '../support/compiled-program.ts';

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

/** Starts a program on a folder, and waits for its first output. */
async function run(program: string, folder: string): Promise<{ child: ChildProcess; output: string }> {
  const args = [...(await compiledProgram(`test/execution/${program}.ts`)), folder];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const [output] = await once(child.stdout!, 'data');
  return { child, output: String(output) };
}

const startHolder = (folder: string) => run('lock-holder', folder);

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const locksIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.lock'));

test('a row survives a kill of the process that wrote it, whose lock passes to the next process', async () => {
  const { child: writer } = await run('row-writer', dataDir);
  const waiting = createPrismaStore({ dataDir });
  await expect(waiting.get('kept')).rejects.toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
    message: expect.stringContaining(`data directory is in use by process ${writer.pid}: `),
  });
  await end(writer);
  // The same store recovers: a server that starts before its predecessor ends needs no restart.
  expect((await waiting.get('kept'))?.attempt).toBe(1);
  await waiting.finish('kept', 1, { status: 'SUCCESS', result: 'x' });
  await waiting.close();
  const reopened = createPrismaStore({ dataDir });
  expect((await reopened.get('kept'))?.result).toBe('x');
  await reopened.close();
}, 90_000);

test('two stores of one process cannot share a directory, and a closed store leaves no lock', async () => {
  const first = createPrismaStore({ dataDir });
  await first.ready();
  const second = createPrismaStore({ dataDir });
  await expect(second.ready()).rejects.toThrow(`data directory is in use by process ${process.pid}: `);
  await first.close();
  expect(locksIn(dataDir)).toEqual([]);
  await second.ready();
  await second.close();
}, 90_000);

describe('the lock of a data directory', () => {
  beforeEach(() => {
    mkdirSync(dataDir, { recursive: true });
  });

  test('a lock is free once its holder is killed, even if another process reuses the pid', async () => {
    const { child, output } = await startHolder(dataDir);
    expect(output).toBe('held');
    await expect(lockDataDir(dataDir)).rejects.toThrow(`in use by process ${child.pid}: `);
    await end(child);
    // The killed process leaves its lock file; renamed, it names this process, as if this one reused the pid.
    const [lockFile] = locksIn(dataDir);
    renameSync(join(dataDir, lockFile!), join(dataDir, lockFile!.replace(`${child.pid}`, `${process.pid}`)));
    const release = await lockDataDir(dataDir);
    expect(locksIn(dataDir)).toHaveLength(1);
    await release();
    expect(locksIn(dataDir)).toEqual([]);
  });

  test('a suspended holder keeps its lock', async () => {
    const { child } = await startHolder(dataDir);
    child.kill('SIGSTOP');
    await expect(lockDataDir(dataDir)).rejects.toThrow(`in use by process ${child.pid}: `);
    child.kill('SIGCONT');
  });

  test('a lock is detected through every path to the directory, regardless of its length', async () => {
    const long = join(parent, 'x'.repeat(100), 'y'.repeat(100));
    mkdirSync(long, { recursive: true });
    const { child } = await startHolder(long);
    await expect(lockDataDir(long)).rejects.toThrow(`in use by process ${child.pid}: `);
    symlinkSync(long, join(parent, 'short'));
    await expect(lockDataDir(join(parent, 'short'))).rejects.toThrow(`in use by process ${child.pid}: `);
    await end(child);
    const release = await lockDataDir(long);
    await release();
    expect(locksIn(long)).toEqual([]);
  });

  test('at most one of several concurrent starters gets a lock, also that of a dead holder', async () => {
    for (const round of [1, 2, 3]) {
      const starters = Array.from({ length: 6 }, () => lockDataDir(dataDir));
      const settled = await Promise.allSettled(starters);
      const acquired = settled.filter(
        (outcome): outcome is PromiseFulfilledResult<Release> => 'value' in outcome,
      );
      // All of them may back off, but two must never hold the lock.
      expect(acquired.length, `round ${round}`).toBeLessThanOrEqual(1);
      for (const { value: release } of acquired) await release();
    }
    const { child } = await startHolder(dataDir);
    await end(child);
    const processes = await Promise.all(Array.from({ length: 4 }, () => startHolder(dataDir)));
    const holders = processes.filter(({ output }) => output === 'held');
    expect(holders.length).toBeLessThanOrEqual(1);
    for (const { child } of processes) await end(child);
    await (await lockDataDir(dataDir))();
  }, 60_000);

  test('lock files of an older version, or truncated ones, are ignored', async () => {
    writeFileSync(join(dataDir, 'pglite.lock'), '{"pid":');
    writeFileSync(join(dataDir, 'pglite-1-00000000.lock'), '');
    await (await lockDataDir(dataDir))();
  });

  test('without sockets in the file system, the lock is in the directory for temporary files', async () => {
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
      await expect(lockDataDir(dataDir)).rejects.toThrow(`in use by process ${process.pid}: `);
      await release();
      await (await lockDataDir(dataDir))();
    } finally {
      spy.mockRestore();
      vi.unstubAllEnvs();
    }
  });
});
