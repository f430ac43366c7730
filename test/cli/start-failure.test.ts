// A start that fails ends: with one clear message, everything closed, and exit code 1, instead of a process that serves
// nothing and keeps its connections.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { explainStartError } from '../../src/cli/start-error.ts';
import { query } from '../execution/failing-servers.ts';
import { startProcess } from '../server/process.ts';
import { createDatabase, type Database, describePostgres } from '../support/postgres.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';
import { runStart } from './run-command.ts';

// On a busy machine, each process takes seconds to load.
vi.setConfig({ testTimeout: 120_000 });

const FORMS: [string, string[]][] = [
  ['a single process', []],
  ['--workers', ['--workers', '2']],
];

let taken: Server;
let PORT: string;
beforeAll(async () => {
  taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  PORT = `${(taken.address() as AddressInfo).port}`;
});
afterAll(() => taken.close());

const IN_USE = /^execstream: PORT: already in use; set another one, or 0 for a free one \(.*EADDRINUSE.*\)$/;

describe('embedded parts', () => {
  test('a port that is taken ends the start with its message and code 1', async () => {
    expect(await runStart({ PORT })).toMatchObject({ ended: 1, message: expect.stringMatching(IN_USE) });
  });

  test('an address of another machine ends the start, naming HOST', async () => {
    const env = { HOST: '192.0.2.1', AUTH_SHARED_KEY: 'k'.repeat(32) };
    const { ended, message } = await runStart(env);
    expect([ended, message]).toEqual([
      1,
      'execstream: HOST: expected an address of this machine (listen EADDRNOTAVAIL: address not available 192.0.2.1)',
    ]);
  });

  test('a data directory that is a file ends the start', async () => {
    const file = join(process.env.TEST_FOLDER ?? tmpdir(), `file-${process.pid}`);
    writeFileSync(file, '');
    const { ended, message } = await runStart({ DATA_DIR: file });
    expect([ended, message]).toEqual([1, expect.stringContaining('data directory cannot be used (EEXIST)')]);
  });

  test.each([
    [{ DATABASE_URL: 'mysql://localhost/app' }, 'DATABASE_URL: expected'],
    [{ REDIS_URL: 'localhost:6379' }, 'REDIS_URL: expected'],
  ])('a URL of something else ends the start (%o)', async (env, message) => {
    expect(await runStart(env)).toEqual({ ended: 1, message: expect.stringContaining(message), logged: [] });
  });
});

describe('messages', () => {
  test.each([
    ['EACCES', 'listen', 'PORT: no permission to listen on it'],
    ['EADDRINUSE', 'bind', 'PORT: already in use'],
    ['ENOTFOUND', 'getaddrinfo', 'HOST: expected an address, or a name that can be resolved'],
  ])('%s of %s names the setting', (code, syscall, message) => {
    const error = Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
    expect(explainStartError(error)).toMatch(new RegExp(`^${message}.* \\(${syscall} ${code}\\)$`));
  });

  test('an error with causes shows their messages', () => {
    const cause = new Error('second', { cause: new Error('third') });
    expect(explainStartError(new Error('first', { cause }))).toBe('first: second: third');
  });
});

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    let redis: RedisServer;
    let database: Database;
    /** The URL of a role that may connect, but not create anything. */
    let unprivileged: string;
    const role = `plain_${process.pid}`;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis?.stop());
    beforeEach(async () => {
      database = await createDatabase();
      await query(database.url, `CREATE ROLE ${role} LOGIN`);
      const url = new URL(database.url);
      url.username = role;
      unprivileged = url.href;
    });
    afterEach(async () => {
      await query(database.url, `DROP OWNED BY ${role} CASCADE`);
      await query(database.url, `DROP ROLE ${role}`);
      await database.drop();
    });

    test.each(FORMS)(
      'a port that is taken ends the start with one message and code 1 (%s)',
      async (_, args) => {
        const env = { PORT, REDIS_URL: redis.url, DATABASE_URL: database.url };
        const { ended, message } = await runStart(env, args);
        expect([ended, message]).toEqual([1, expect.stringMatching(IN_USE)]);
      },
    );

    test.each(FORMS)(
      'a role that may not migrate ends the start with the reason, without restarts (%s)',
      async (_, args) => {
        const env = { REDIS_URL: redis.url, DATABASE_URL: unprivileged };
        const { ended, message, logged } = await runStart(env, args);
        const reason = `database rejected a statement (SQLSTATE 42501): permission denied for database ${database.name}`;
        expect([ended, message]).toEqual([1, `execstream: ${reason}`]);
        expect(logged.map(({ msg }) => msg)).not.toContainEqual(expect.stringMatching(/starting another/));
      },
    );

    test('a replacement that does not start is tried again while a worker serves, and ends the command when none does', async () => {
      await query(database.url, `GRANT CREATE ON DATABASE ${database.name} TO ${role}`);
      await using server = await startProcess(
        { REDIS_URL: redis.url, DATABASE_URL: unprivileged },
        'workers',
      );
      const ready = server.printed().matchAll(/"pid":(\d+)[^\n]*"msg":"ready"/g);
      const [one, other] = Array.from(ready, ([, pid]) => Number(pid));
      // The next worker finds a table of the schema without the record of its migration.
      await query(database.url, 'ALTER TABLE execstream._prisma_migrations RENAME TO hidden');
      process.kill(one!, 'SIGKILL');
      const reason = /"reason":"[^"]*SQLSTATE[^"]*"[^\n]*starting another one/;
      await until(() => reason.test(server.printed()), { what: 'a failed replacement', timeoutMs: 40_000 });
      expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
      process.kill(other!, 'SIGKILL');
      expect(await server.exited).toBe('code 1');
      expect(server.printed()).toContain('no worker serves, and none can be started; exiting');
    });
  });
});
