// A short run of the proof for CI: real processes under a few faults. `npm run prove` is the long run.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeOwnPostgres } from '../support/postgres.ts';
import { describeOwnRedis } from '../support/redis.ts';

const MAIN = fileURLToPath(new URL('../../prove/main.ts', import.meta.url));
const FAULTS = ['server-killed', 'redis-restarted', 'redis-emptied', 'worker-killed', 'connections-cut'];

describeOwnRedis('with Redis', () => {
  describeOwnPostgres('and Postgres', () => {
    test('no event is lost, doubled, disordered or wrongly read while servers, workers and Redis fail', async () => {
      const folder = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'proof-'));
      const json = join(folder, 'proof.json');
      const size = ['--minutes', '0.2', '--viewers', '36', '--browsers', '0'];
      const args = ['--seed', '1', ...size, '--faults', FAULTS.join(','), '--json', json];
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', MAIN, ...args], {
        timeout: 240_000,
      }).catch((error: { stdout: string }) => error);
      const proof = JSON.parse(readFileSync(json, 'utf8'));
      expect({ ...proof, stdout }).toMatchObject({ lost: 0, doubled: 0, disordered: 0, wronglyRead: 0 });
      expect(proof.delivered).toBeGreaterThan(1_000);
      expect(Object.keys(proof.faults).sort()).toEqual([...FAULTS].sort());
      expect(Math.min(...(Object.values(proof.faults) as number[]))).toBeGreaterThan(0);
      expect(proof).toMatchObject({ passed: true, gaps: {} });
    }, 300_000);
  });
});
