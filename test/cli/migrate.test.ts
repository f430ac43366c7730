// `execstream migrate`, on a Postgres and on the embedded database.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { MIGRATIONS } from '../../src/execution/database/migrations.gen.ts';
import { query } from '../execution/failing-servers.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { execstream } from './execstream.ts';

// On a busy machine, each process takes seconds to load.
vi.setConfig({ testTimeout: 90_000 });

describePostgres('a Postgres', () => {
  test('--check lists the missing migrations and exits with 1; without it they are applied, once', async () => {
    await using database = await createDatabase();
    const names = MIGRATIONS.map(({ name }) => name);
    const env = { DATABASE_URL: database.url };
    const linesOf = (word: string) => names.map((name) => `${word} ${name}\n`).join('');
    expect(await execstream('migrate --check', env)).toEqual({
      code: 1,
      stdout: linesOf('missing'),
      stderr: '',
    });
    const applied = await execstream(`migrate --database-url ${database.url}`);
    expect(applied).toEqual({ code: 0, stdout: linesOf('applied'), stderr: '' });
    const again = { code: 0, stdout: 'the database is up to date\n', stderr: '' };
    expect(await execstream('migrate', env)).toEqual(again);
    expect(await execstream('migrate --check', env)).toEqual(again);
  });

  test('a role that may not create tables exits with 1 and the reason', async () => {
    await using database = await createDatabase();
    const role = `plain_migrate_${process.pid}`;
    await query(database.url, `CREATE ROLE ${role} LOGIN`);
    try {
      const url = new URL(database.url);
      url.username = role;
      const { code, stderr } = await execstream('migrate', { DATABASE_URL: url.href });
      expect([code, stderr]).toEqual([
        1,
        `execstream: database rejected a statement (SQLSTATE 42501): permission denied for database ${database.name}\n`,
      ]);
    } finally {
      await query(database.url, `DROP ROLE ${role}`);
    }
  });
});

describe('without a Postgres', () => {
  test('a server that is not there exits with 1 and the reason', async () => {
    const { code, stderr } = await execstream('migrate --database-url postgres://127.0.0.1:9/app');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^execstream: database of executions is unavailable: .*ECONNREFUSED.*\n$/),
    ]);
  });

  test('a wrong URL names the flag, or the variable', async () => {
    const message = 'expected a URL that begins with postgres:// or postgresql://\n';
    expect(await execstream('migrate --database-url mysql://h/x')).toEqual({
      code: 1,
      stdout: '',
      stderr: `execstream: --database-url: ${message}`,
    });
    expect((await execstream('migrate', { DATABASE_URL: 'mysql://h/x' })).stderr).toBe(
      `execstream: DATABASE_URL: ${message}`,
    );
  });

  test('the embedded database is created and migrated', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'execstream-migrate-'));
    try {
      const stdout = `PGlite in ${folder} is up to date\n`;
      expect(await execstream(`migrate --data-dir ${folder}`)).toEqual({ code: 0, stdout, stderr: '' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
