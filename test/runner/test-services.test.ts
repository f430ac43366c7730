// The runner finds the programs that suites need, and reports the consequences of a missing one.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeRows, findServices } from '../../scripts/service-table.ts';
import { suitesUsing } from '../../scripts/suites.ts';
import {
  BUNDLERS,
  CHROMIUM,
  findPart,
  MODEL_SDKS,
  POSTGRES,
  REACT_18,
  REDIS,
  TEMPORAL,
  TEMPORAL_SDKS,
  WEB_FRAMEWORKS,
} from '../../scripts/test-services.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'execstream-runner-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A fake program under the root that prints the text. */
function program(path: string, prints = ''): string {
  const file = write(path, `#!/bin/sh\necho '${prints}'\n`);
  chmodSync(file, 0o755);
  return file;
}

function write(path: string, text: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

describe('finding a program', () => {
  test('uses the first match on PATH', () => {
    program('second/redis-server', 'Redis server v=7.4.1 sha=0');
    const first = program('first/redis-server', 'Redis server v=7.0.15 sha=0');
    const place = { env: { PATH: `${join(root, 'first')}:${join(root, 'second')}` }, root };
    expect(findPart(REDIS, place)).toBe(first);
  });

  test('rejects a Redis older than 7 with the reason', () => {
    const path = program('bin/redis-server', 'Redis server v=6.2.14 sha=0');
    const found = REDIS.find({ env: { PATH: join(root, 'bin') }, root });
    expect(found).toEqual({ why: `${path} is too old: v=6.2.14` });
  });

  test("uses the newest of Debian's PostgreSQL versions by number, if PATH has none", () => {
    for (const version of ['9', '15', '17']) {
      program(`usr/lib/postgresql/${version}/bin/initdb`);
      program(`usr/lib/postgresql/${version}/bin/postgres`);
    }
    // Only a client, as in Debian's PATH.
    program('bin/psql');
    const place = { env: { PATH: join(root, 'bin') }, root };
    expect(findPart(POSTGRES, place)).toBe(join(root, 'usr/lib/postgresql/17/bin'));
  });

  test('skips a PostgreSQL folder without a server', () => {
    program('usr/lib/postgresql/17/bin/psql');
    program('usr/lib/postgresql/15/bin/initdb');
    program('usr/lib/postgresql/15/bin/postgres');
    expect(findPart(POSTGRES, { env: {}, root })).toBe(join(root, 'usr/lib/postgresql/15/bin'));
  });

  test('prefers CHROMIUM_PATH over PATH, and reports a wrong one', () => {
    const onPath = program('bin/google-chrome');
    const given = program('opt/chrome');
    const PATH = join(root, 'bin');
    expect(findPart(CHROMIUM, { env: { PATH }, root })).toBe(onPath);
    expect(findPart(CHROMIUM, { env: { PATH, CHROMIUM_PATH: given }, root })).toBe(given);
    const wrong = CHROMIUM.find({ env: { PATH, CHROMIUM_PATH: '/nowhere/chrome' }, root });
    expect(wrong).toEqual({ why: 'CHROMIUM_PATH is not a program: /nowhere/chrome' });
  });

  test('prefers the configured Temporal CLI, then the one on PATH, then the one in the cache', () => {
    const cached = program('cache/execstream/temporal-1.9.1/temporal');
    const env = { PATH: join(root, 'bin'), XDG_CACHE_HOME: join(root, 'cache') };
    expect(findPart(TEMPORAL, { env, root })).toBe(cached);
    const onPath = program('bin/temporal');
    expect(findPart(TEMPORAL, { env, root })).toBe(onPath);
    expect(findPart(TEMPORAL, { env: { ...env, TEMPORAL_CLI_PATH: cached }, root })).toBe(cached);
    expect(TEMPORAL.find({ env: { ...env, TEMPORAL_CLI_PATH: '/nowhere' }, root })).toEqual({
      why: 'TEMPORAL_CLI_PATH is not a program: /nowhere',
    });
  });

  test.each([
    ['the model SDKs', MODEL_SDKS, 'TEST_MODEL_SDKS', 'model-sdks'],
    ['version 18 of React', REACT_18, 'TEST_REACT_18', 'react-18'],
    ['the web frameworks', WEB_FRAMEWORKS, 'TEST_WEB_FRAMEWORKS', 'web-frameworks'],
    ['Rollup', BUNDLERS, 'TEST_BUNDLERS', 'bundlers'],
  ])('finds %s in the cache once installed, or in the folder of the variable', (_, part, variable, name) => {
    const env = { XDG_CACHE_HOME: join(root, 'cache') };
    const { why } = part.find({ env, root }) as { why: string };
    const folder = why.replace('not installed in ', '');
    expect(folder).toMatch(new RegExp(`cache/execstream/${name}-[0-9a-f]{12}$`));
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    expect(findPart(part, { env, root })).toBe(folder);
    expect(findPart(part, { env: { [variable]: folder }, root })).toBe(folder);
    expect(findPart(part, { env: {}, root })).toBeUndefined();
  });

  test('finds the Temporal SDKs once all versions are installed, or where TEST_TEMPORAL_SDKS says', () => {
    const env = { XDG_CACHE_HOME: join(root, 'cache') };
    const { why } = TEMPORAL_SDKS.find({ env, root }) as { why: string };
    const folders = why.replace('not installed in ', '').split(', ');
    expect(folders).toHaveLength(2);
    mkdirSync(join(folders[0]!, 'node_modules'), { recursive: true });
    expect(TEMPORAL_SDKS.find({ env, root })).toEqual({ why: `not installed in ${folders[1]}` });
    mkdirSync(join(folders[1]!, 'node_modules'), { recursive: true });
    const path = folders.join(delimiter);
    expect(findPart(TEMPORAL_SDKS, { env, root })).toBe(path);
    expect(findPart(TEMPORAL_SDKS, { env: { TEST_TEMPORAL_SDKS: path }, root })).toBe(path);
    expect(findPart(TEMPORAL_SDKS, { env: {}, root })).toBeUndefined();
  });

  test('ignores a file that is not executable', () => {
    write('bin/chromium', 'text');
    expect(findPart(CHROMIUM, { env: { PATH: join(root, 'bin') }, root })).toBeUndefined();
  });
});

describe('the table', () => {
  test('lists for each missing program the skipped suites and the command that installs it', () => {
    write('test/log/redis.test.ts', `import { describeRedis } from '../support/redis.ts';`);
    write('test/log/memory.test.ts', `import { log } from '../../src/log/memory.ts';`);
    write('test/execution/store.test.ts', `import { suite } from './contract.ts';`);
    write('test/execution/contract.ts', `import { createDatabase } from '../support/postgres.ts';`);
    write('test/support/redis.ts', '');
    write('test/support/postgres.ts', '');
    const rows = findServices({ env: { PATH: '' }, root });
    expect(describeRows(rows, join(root, 'test'))).toBe(
      [
        'Redis 7 or newer  MISSING: no redis-server on PATH',
        '                  skips (completely or partly): log/redis.test.ts',
        '                  install: apt-get install -y --no-install-recommends redis-server',
        'PostgreSQL        MISSING: no initdb and postgres on PATH or in /usr/lib/postgresql',
        '                  skips (completely or partly): execution/store.test.ts',
        '                  install: apt-get install -y --no-install-recommends postgresql',
        'Chromium          MISSING: no chromium, chromium-browser or google-chrome on PATH',
        '                  skips (completely or partly): no suites',
        '                  install: apt-get install -y --no-install-recommends chromium',
        'Temporal CLI      MISSING: no temporal on PATH',
        '                  skips (completely or partly): no suites',
        '                  install: npm test -- --install',
        'nginx             MISSING: no nginx on PATH or in /usr/sbin',
        '                  skips (completely or partly): no suites',
        '                  install: apt-get install -y --no-install-recommends nginx-light',
        'model SDKs        MISSING: not installed',
        '                  skips (completely or partly): no suites',
        '                  install: npm test -- --install',
        'React 18          MISSING: not installed',
        '                  skips (completely or partly): no suites',
        '                  install: npm test -- --install',
        'Temporal SDKs     MISSING: not installed',
        '                  skips (completely or partly): no suites',
        '                  install: npm test -- --install',
        'temporalio (pip)  MISSING: not installed',
        '                  skips (completely or partly): no suites',
        '                  install: npm test -- --install',
        'Go 1.23 or newer  MISSING: no go on PATH',
        '                  skips (completely or partly): no suites',
        '                  install: apt-get install -y --no-install-recommends golang-go',
        'web frameworks    MISSING: not installed',
        '                  skips (completely or partly): no suites',
        '                  install: npm test -- --install',
        'Rollup            MISSING: not installed',
        '                  skips (completely or partly): no suites',
        '                  install: npm test -- --install',
      ].join('\n'),
    );
  });

  test('shows a configured server without its password', () => {
    const env = { PATH: '', TEST_REDIS_URL: 'redis://me:secret@127.0.0.1:6400' };
    const [redis] = describeRows(findServices({ env, root }), join(root)).split('\n');
    expect(redis).toBe(
      'Redis 7 or newer  set by TEST_REDIS_URL (redis://me:***@127.0.0.1:6400); no local program: no redis-server on PATH',
    );
  });

  test('accepts a Temporal server in TEMPORAL_ADDRESS', () => {
    const env = { PATH: '', TEMPORAL_ADDRESS: 'temporal.example:7233' };
    const rows = findServices({ env, root });
    expect(rows.find(({ part }) => part === TEMPORAL)?.url).toBe('temporal.example:7233');
  });

  test('finds the suites of this project, but not those that only mention imports', () => {
    const suites = suitesUsing('redis', join(import.meta.dirname, '..'));
    expect(suites).toContain('support/redis.test.ts');
    expect(suites).not.toContain('runner/parts.test.ts');
  });
});
