// The embedded database in its thread: it is restarted after a failure, without stopping anything else.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PGliteHost } from '../../src/execution/database/pglite-host.ts';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { until } from '../support/wait.ts';

/** A loop in WASM that never returns. */
const HANG = 'DO $$ BEGIN LOOP END LOOP; END $$';

let folder: string;
let host: PGliteHost | undefined;
let errors: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'execstream-pglite-'));
  errors = [];
});

afterEach(async () => {
  await host?.close();
  host = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function startHost(options: { folder?: string; timeoutMs?: number } = {}): Promise<PGliteHost> {
  host = new PGliteHost({
    folder: options.folder,
    timeoutMs: options.timeoutMs ?? 5_000,
    prepare: async () => {},
    logger: {
      error: (details, message) => void errors.push(`${message}: ${(details as { err: Error }).err}`),
    },
  });
  await host.start();
  return host;
}

async function connect(to: PGliteHost): Promise<pg.Client> {
  const client = new pg.Client({ stream: () => to.connect(), user: 'postgres', database: 'postgres' });
  client.on('error', () => {});
  await client.connect();
  return client;
}

const check = () => {
  try {
    host!.check();
    return 'up';
  } catch (error) {
    return (error as Error).message;
  }
};

test('a statement that never returns is terminated, does not block the event loop, and loses no rows', async () => {
  const started = await startHost({ folder: join(folder, 'pglite'), timeoutMs: 1_000 });
  const client = await connect(started);
  await client.query(`CREATE TABLE t AS SELECT 'kept' AS value`);
  const delays = monitorEventLoopDelay();
  delays.enable();
  await expect(client.query(HANG)).rejects.toThrow(
    'embedded database failed and is being restarted: PGlite has not replied for 6000 ms',
  );
  delays.disable();
  // It hangs for six seconds; a blocked event loop would show that.
  expect(delays.max / 1e6).toBeLessThan(3_000);
  expect(check()).toContain('PGlite has not replied for 6000 ms');
  expect(errors).toEqual([
    expect.stringMatching(
      /^embedded database failed; restarting in 1000 ms: .* has not replied for 6000 ms$/,
    ),
  ]);
  await expect(connect(started)).rejects.toThrow('is being restarted');

  await until(() => check() === 'up', { what: 'the restart', timeoutMs: 60_000 });
  const reconnected = await connect(started);
  expect((await reconnected.query('SELECT * FROM t')).rows).toEqual([{ value: 'kept' }]);
  expect(errors).toHaveLength(1);
}, 120_000);

test('a database that fails repeatedly is restarted with increasing delays', async () => {
  const file = join(folder, 'pglite');
  writeFileSync(file, 'not a folder');
  await startHost({ folder: file });
  await until(() => errors.length >= 2, { what: 'two failures', timeoutMs: 60_000 });
  expect(errors[0]).toContain('restarting in 1000 ms');
  expect(errors[1]).toContain('restarting in 2000 ms');
  expect(check()).toMatch(/^embedded database failed and is being restarted/);
}, 90_000);

describe('in memory', () => {
  let shared: PGliteHost;

  // Shared, because a start takes seconds.
  beforeAll(async () => {
    shared = await startHost();
    host = undefined;
  }, 90_000);

  afterAll(() => shared.close());

  test('an unfinished transaction and session of one client do not affect the next one', async () => {
    const first = await connect(shared);
    await first.query('CREATE TABLE t (value int)');
    await first.query(`BEGIN; INSERT INTO t VALUES (1); SET statement_timeout = '7s'`);
    const second = await connect(shared);
    expect((await second.query('SELECT * FROM t')).rows).toEqual([]);
    expect((await second.query('SHOW statement_timeout')).rows).toEqual([{ statement_timeout: '0' }]);
    await second.query('INSERT INTO t VALUES (2)');
    const third = await connect(shared);
    expect((await third.query('SELECT * FROM t')).rows).toEqual([{ value: 2 }]);
  });

  test('replies to a disconnected client do not reach the next one', async () => {
    const first = await connect(shared);
    const pending = first.query(`SELECT 'first' AS reply FROM pg_sleep(0.2)`).catch(() => {});
    const second = await connect(shared);
    expect((await second.query(`SELECT 'second' AS reply`)).rows).toEqual([{ reply: 'second' }]);
    await pending;
  });

  test('an error of a statement does not affect later statements', async () => {
    const client = await connect(shared);
    await expect(client.query('SELECT $1::int / 0', [1])).rejects.toMatchObject({ code: '22012' });
    expect((await client.query('SELECT $1::int AS x', [1])).rows).toEqual([{ x: 1 }]);
    expect(() => shared.check()).not.toThrow();
  });

  test('a large result arrives complete and in order', async () => {
    const client = await connect(shared);
    const { rows } = await client.query(
      'SELECT i, repeat(md5(i::text), 1000) AS text FROM generate_series(1, 500) i',
    );
    expect(rows.map(({ i }) => i)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
    expect(rows.every(({ text }) => text.length === 32_000)).toBe(true);
  });

  test('a database that hangs does not delay its close, and a closed one rejects connections', async () => {
    const client = await connect(shared);
    const pending = expect(client.query(HANG)).rejects.toThrow();
    const from = performance.now();
    await shared.close();
    await pending;
    expect(performance.now() - from).toBeLessThan(4_000);
    await expect(connect(shared)).rejects.toThrow('PGlite is closed');
    expect(errors).toEqual([]);
  });
});

describe('the store', () => {
  test('a data directory that cannot be created is reported with its reason', async () => {
    writeFileSync(join(folder, 'file'), '');
    const store = createPrismaStore({ dataDir: join(folder, 'file', 'data') });
    await expect(store.ping()).rejects.toMatchObject({
      code: 'CONFIG',
      message: 'data directory cannot be used (ENOTDIR)',
    });
    await store.close();
  });

  test('files that a crash left incomplete at the first start are created again', async () => {
    mkdirSync(join(folder, 'pglite'));
    writeFileSync(join(folder, 'pglite', 'PG_VERSION'), '18\n');
    writeFileSync(join(folder, 'pglite.incomplete'), '');
    const store = createPrismaStore({ dataDir: folder });
    await store.begin({ id: 'a', kind: 'task', mode: 'TEXT' });
    await store.close();
    const reopened = createPrismaStore({ dataDir: folder });
    expect((await reopened.get('a'))?.status).toBe('RUNNING');
    await reopened.close();
  }, 120_000);

  test('closing a store while its database starts stops the start, and releases the directory', async () => {
    const store = createPrismaStore({ dataDir: folder });
    const ready = expect(store.ready()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    const from = performance.now();
    await store.close();
    await ready;
    expect(performance.now() - from).toBeLessThan(5_000);
    const next = createPrismaStore({ dataDir: folder });
    await next.ready();
    await next.close();
  }, 90_000);
});
