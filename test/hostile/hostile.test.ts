// Hostile inputs against a real server process, counted by kind and response.
//
//   npm test -- test/hostile                                 5,000 inputs
//   HOSTILE_INPUTS=100000 npm test -- test/hostile           the full run
//   HOSTILE_SEED=42 npm test -- test/hostile                 the same inputs again
import { expect, test } from 'vitest';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { describeOwnRedis, startRedis } from '../support/redis.ts';
import { run, table } from './run.ts';
import { startTarget } from './server.ts';
import { createWorld, databasePassword, redisPassword, sharedKey } from './world.ts';

const COUNT = Number(process.env.HOSTILE_INPUTS ?? 5_000);
const SEED = Number(process.env.HOSTILE_SEED ?? Date.now() % 1_000_000_000);
const QUOTAS = [
  ...['MAX_QUERIES_PER_SECOND', 'MAX_BEGINS_PER_SECOND', 'MAX_BATCHES_PER_SECOND'],
  ...['MAX_NEW_STREAM_TOKENS_PER_SECOND', 'MAX_NEW_RESERVATIONS_PER_SECOND', 'MAX_RESERVATIONS_PER_CALLER'],
];

describePostgres('hostile input', () => {
  describeOwnRedis('over Redis and Postgres', () => {
    test(
      `${COUNT} hostile inputs cause no crash, hang, unintended 5xx, leak of another tenant or secret in a log (HOSTILE_SEED=${SEED})`,
      async () => {
        await using database = await createDatabase();
        await using redis = await startRedis({ args: ['--requirepass', redisPassword] });
        const databaseUrl = new URL(database.url);
        // Postgres trusts this address and does not check the password.
        databaseUrl.password = databasePassword;
        const redisUrl = `redis://:${redisPassword}@127.0.0.1:${redis.port}`;
        await using target = await startTarget({
          DATABASE_URL: databaseUrl.href,
          REDIS_URL: redisUrl,
          AUTH_SHARED_KEY: sharedKey,
          CORS_ORIGINS: 'https://app.example',
          // All inputs come from one caller, and must reach their targets.
          ...Object.fromEntries(QUOTAS.map((name) => [name, '1000000'])),
        });
        const world = await createWorld(target.url);
        const began = performance.now();
        const result = await run({ target, world, redisUrl, count: COUNT, seed: SEED });
        const seconds = ((performance.now() - began) / 1_000).toFixed(1);
        console.log(`hostile inputs, HOSTILE_SEED=${SEED}: ${COUNT} in ${seconds} s\n${table(result)}`);

        expect(String(result.breaches)).toBe('');
        expect(target.end).toBeUndefined();
        const printed = target.printed();
        const shown = [...world.secrets].filter((secret) => printed.includes(secret));
        expect(shown, 'secrets in the output of the server').toEqual([]);
        // The first tenth is the warm-up; after it, memory may fluctuate but not grow.
        const [, early = 0] = result.memoryMiB;
        expect(result.memoryMiB.at(-1)).toBeLessThan(early + 400);
      },
      60_000 + COUNT * 20,
    );
  });
});
