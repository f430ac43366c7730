// What an operator reads when a setting is wrong: the log names the cause, and readiness the part and the reason.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readConfig } from '../../src/server/config/config.ts';
import { optionsFromConfig } from '../../src/server/config/from-config.ts';
import { createExecstream } from '../../src/server/create-execstream.ts';
import { listen } from '../../src/server/node-server.ts';
import { query } from '../execution/failing-servers.ts';
import { describeOwnPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { askServer } from '../support/redis-sentinel.ts';
import { until } from '../support/wait.ts';

// A connection to Redis is given 5 s.
vi.setConfig({ testTimeout: 60_000 });

/** Starts a server as the command does, and collects its log lines. */
async function startWith(env: Readonly<Record<string, string>>) {
  const lines: { readonly level: number; readonly part?: string; readonly msg: string }[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const dataDir = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'config-'));
  const config = readConfig({ PORT: '0', DATA_DIR: dataDir, ...env });
  const options = optionsFromConfig(config, logger);
  const server = await listen(createExecstream(options), config);
  return {
    lines,
    part: (part: string) => lines.filter((line) => line.part === part).map(({ msg }) => msg),
    readiness: async () =>
      ((await (await fetch(`${server.url}/health/ready`)).json()) as { parts: Record<string, string> }).parts,
    async [Symbol.asyncDispose]() {
      await server.close();
      await Promise.all([options.log.close(), options.store.close()]);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

interface Case {
  readonly part: 'log' | 'database';
  readonly env: Readonly<Record<string, string>>;
  readonly line: string | RegExp;
  /** The reason of readiness. */
  readonly reason: string;
}

describeOwnRedis('with Redis', () => {
  describeOwnPostgres('and Postgres', () => {
    let redis: RedisServer;
    let full: RedisServer;
    let replica: RedisServer;
    let postgres: PostgresServer;
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'hba-'));
      chmodSync(folder, 0o755);
      const hba = join(folder, 'pg_hba.conf');
      writeFileSync(hba, 'host all secured 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n');
      chmodSync(hba, 0o644);
      [redis, full, replica, postgres] = await Promise.all([
        startRedis(),
        startRedis(),
        startRedis(),
        startPostgres({ settings: { hba_file: hba } }),
      ]);
      await askServer(redis.port, async (client) => {
        const all = ['on', '>pw', '~*', '&*', '+@all'];
        await client.call('ACL', 'SETUSER', 'app', ...all);
        await client.call('ACL', 'SETUSER', 'channels', ...all, 'resetchannels');
        await client.call('ACL', 'SETUSER', 'scripts', ...all, '-@scripting');
        await client.call('ACL', 'SETUSER', 'subscribe', ...all, '-subscribe');
        await client.call('ACL', 'SETUSER', 'streams', ...all, '-@stream');
        return true;
      });
      await askServer(replica.port, (client) => client.replicaof('127.0.0.1', 1));
      await askServer(full.port, async (client) => {
        await client.config('SET', 'save', '3600 1');
        rmSync(full.folder, { recursive: true });
        await client.bgsave();
        return until(async () => (await client.info('persistence')).includes('bgsave_status:err'));
      });
      const roles = [
        "CREATE ROLE secured LOGIN PASSWORD 'right'",
        'CREATE DATABASE fresh',
        'CREATE ROLE barred',
        'CREATE ROLE readonly LOGIN SUPERUSER',
        'ALTER ROLE readonly SET default_transaction_read_only = on',
      ];
      for (const sql of roles) await query(postgres.url, sql);
    });
    afterAll(async () => {
      await Promise.all([redis?.stop(), full?.stop(), replica?.stop(), postgres?.stop()]);
      rmSync(folder, { recursive: true, force: true });
    });

    const redisAt = (user: string, path = '') => `redis://${user}127.0.0.1:${redis.port}${path}`;
    const postgresAs = (user: string, database = 'postgres') =>
      `postgresql://${user}@127.0.0.1:${postgres.port}/${database}`;
    const unreached = 'Redis could not be reached within 5000 ms';
    const unavailable = 'database of executions is unavailable';
    const log = (url: string, line: Case['line'], reason: string): Case => ({
      part: 'log',
      env: { REDIS_URL: url, DATABASE_URL: postgres.url },
      line,
      reason,
    });
    const database = (url: string, line: Case['line'], reason: string): Case => ({
      part: 'database',
      env: { DATABASE_URL: url },
      line,
      reason,
    });

    const CASES: Record<string, () => Case> = {
      'Redis: unknown host': () =>
        log(
          'redis://nohost.invalid',
          `${unreached}: getaddrinfo ENOTFOUND nohost.invalid`,
          `${unreached}: unknown host`,
        ),
      'Redis: no server': () =>
        log(
          'redis://127.0.0.1:1',
          `${unreached}: connect ECONNREFUSED 127.0.0.1:1`,
          `${unreached}: connection refused`,
        ),
      'Redis: wrong password': () =>
        log(
          redisAt('app:wrong@'),
          `${unreached}: WRONGPASS invalid username-password pair or user is disabled.`,
          `${unreached}: wrong user or password`,
        ),
      'Redis: TLS with a server without it': () =>
        log(
          redisAt('').replace('redis:', 'rediss:'),
          /^Redis could not be reached within 5000 ms: /,
          `${unreached}: `,
        ),
      'Redis: missing database': () =>
        log(
          redisAt('', '/99'),
          `${unreached}: ERR DB index is out of range`,
          `${unreached}: no such database`,
        ),
      'Redis: cluster URL for a single server': () =>
        log(
          redisAt('').replace('redis:', 'redis+cluster:'),
          'no node of the cluster reports its slots: Redis rejected a command: ERR This instance has cluster support disabled',
          'no node of the cluster reports its slots: it is not a cluster',
        ),
      'Redis: ACL without channels': () =>
        log(
          redisAt('channels:pw@'),
          "Redis rejects PUBLISH: its user has no permission (ACL): ERR The user executing the script can't publish to the channel mentioned in the command",
          'Redis rejects PUBLISH: its user has no permission (ACL)',
        ),
      'Redis: ACL without scripts': () =>
        log(
          redisAt('scripts:pw@'),
          /^Redis rejects EVAL: its user has no permission \(ACL\): NOPERM /,
          'Redis rejects EVAL: its user has no permission (ACL)',
        ),
      'Redis: ACL without SUBSCRIBE': () =>
        log(
          redisAt('subscribe:pw@'),
          /^Redis rejects SUBSCRIBE: its user has no permission \(ACL\): .*NOPERM /,
          'Redis rejects SUBSCRIBE: its user has no permission (ACL)',
        ),
      'Redis: ACL without streams': () =>
        log(
          redisAt('streams:pw@'),
          /^Redis rejects XADD: its user has no permission \(ACL\): /,
          'Redis rejects XADD: its user has no permission (ACL)',
        ),
      'Redis: read-only replica': () =>
        log(
          replica.url,
          /^Redis rejects writes: it is a read-only replica: READONLY /,
          'Redis rejects writes: it is a read-only replica',
        ),
      'Redis: full disk': () =>
        log(
          full.url,
          /^Redis rejects writes: it cannot save its data to disk \(MISCONF\): MISCONF /,
          'Redis rejects writes: it cannot save its data to disk (MISCONF)',
        ),
      'Postgres: unknown host': () =>
        database(
          'postgresql://nohost.invalid/app',
          `${unavailable}: getaddrinfo ENOTFOUND nohost.invalid`,
          `${unavailable}: unknown host`,
        ),
      'Postgres: wrong password': () =>
        database(
          postgresAs('secured:wrong'),
          `${unavailable}: password authentication failed for user "secured"`,
          `${unavailable}: wrong password`,
        ),
      'Postgres: missing role': () =>
        database(
          postgresAs('norole'),
          `${unavailable}: role "norole" does not exist`,
          `${unavailable}: its user may not connect`,
        ),
      'Postgres: role that may not log in': () =>
        database(
          postgresAs('barred'),
          `${unavailable}: role "barred" is not permitted to log in`,
          `${unavailable}: its user may not connect`,
        ),
      'Postgres: missing database': () =>
        database(
          postgresAs('postgres', 'nodb'),
          `${unavailable}: database "nodb" does not exist`,
          `${unavailable}: no such database`,
        ),
      'Postgres: TLS with a server without it': () =>
        database(
          `${postgresAs('postgres')}?sslmode=verify-full`,
          `${unavailable}: The server does not support SSL connections`,
          `${unavailable}: TLS failed`,
        ),
      'Postgres: no privilege to migrate': () =>
        database(
          postgresAs('secured:right', 'fresh'),
          'database rejected a statement (SQLSTATE 42501): permission denied for database fresh',
          'database rejected a statement (SQLSTATE 42501): insufficient privileges',
        ),
      'Postgres: read-only': () =>
        database(
          postgresAs('readonly'),
          /^database of executions is read-only: /,
          'database of executions is read-only: ',
        ),
    };

    test.each(Object.keys(CASES))('%s', async (name) => {
      const { part, env, line, reason } = CASES[name]!();
      await using server = await startWith(env);
      await until(() => server.part(part).length > 0, { what: 'the log line', timeoutMs: 15_000 });
      const [msg] = server.part(part);
      console.log(`${name.padEnd(40)} ${msg}`);
      const text = msg!.slice(`${part} unavailable: `.length);
      if (typeof line === 'string') expect(text).toBe(line);
      else expect(text).toMatch(line);
      const parts = await server.readiness();
      expect(parts[part]).toContain(reason);
      expect(JSON.stringify(parts)).not.toMatch(/127\.0\.0\.1|nohost|norole|secured|nodb|wrong@/);
      expect(server.part(part)).toHaveLength(1);
    });

    describe('an outage', () => {
      test.each([
        ['Redis', 'log'],
        ['Postgres', 'database'],
      ])('of %s is logged once when it begins and once when it ends', async (service, part) => {
        const own = service === 'Redis' ? await startRedis() : await startPostgres();
        const variable = service === 'Redis' ? 'REDIS_URL' : 'DATABASE_URL';
        try {
          await using server = await startWith({ DATABASE_URL: postgres.url, [variable]: own.url });
          await until(async () => (await server.readiness())[part] === 'ok', { timeoutMs: 20_000 });
          await own.kill();
          await until(() => server.part(part).length === 1, { timeoutMs: 20_000 });
          await until(async () => (await server.readiness())[part] !== 'ok', { timeoutMs: 20_000 });
          await own.restart();
          await until(() => server.part(part).length === 2, { timeoutMs: 20_000 });
          for (const msg of server.part(part)) console.log(`${service} lost: ${msg}`);
          expect(server.part(part)[0]).toMatch(
            /^\w+ unavailable: .*(ECONNREFUSED|closed|terminat|ECONNRESET|Can't reach)/,
          );
          expect(server.part(part)[1]).toMatch(/^\w+ available again after \d+ s$/);
        } finally {
          await own.stop();
        }
      });
    });
  });
});
