// A short run of the attacks for CI: how far one caller can affect a server and another tenant. `npm run attack` is
// the long run.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeOwnPostgres } from '../support/postgres.ts';
import { describeOwnRedis } from '../support/redis.ts';

const MAIN = fileURLToPath(new URL('../../prove/attack/main.ts', import.meta.url));
/**
 * Far above the values on an idle machine: here the limits only distinguish a blocked server from a busy machine.
 */
const LIMITS = ['--max-live', '3000', '--max-pause', '4000', '--max-rss', '800'];

describeOwnRedis('with Redis', () => {
  describeOwnPostgres('and Postgres', () => {
    test('no attack of one caller stops the server, its health or the stream of another tenant', async () => {
      const folder = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'attacks-'));
      const json = join(folder, 'attacks.json');
      const args = ['--seconds', '2', ...LIMITS, '--json', json];
      await promisify(execFile)(process.execPath, ['--import', 'tsx', MAIN, ...args], {
        timeout: 1_100_000,
        maxBuffer: 64 * 1024 * 1024,
      }).catch((error: { stdout: string }) => error);
      const results = JSON.parse(readFileSync(json, 'utf8')) as { id: string; broken: string[] }[];
      const broken = results.filter((result) => result.broken.length > 0);
      expect(broken.map((result) => `${result.id}: ${result.broken.join('; ')}`)).toEqual([]);
      expect(results.length).toBeGreaterThan(20);
    }, 1_200_000);
  });
});
