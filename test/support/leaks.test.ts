// Files that share the modules of a process leave nothing to each other.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Report } from '../../scripts/vitest-report.ts';
import { ROOT } from './shared-builds.ts';

const VITEST = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

test('a file that leaves something to the files after it fails, with its names', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'execstream-leaks-'));
  const config = { include: ['*.test.mjs'], isolate: false, setupFiles: [`${ROOT}/test/support/leaks.ts`] };
  writeFileSync(join(folder, 'vitest.config.mjs'), `export default { test: ${JSON.stringify(config)} };`);
  const files = {
    leaving: `vi.useFakeTimers({ toFake: ['setTimeout'] }); process.env.LEFT = 'x'; process.on('SIGTERM', () => {});`,
    adding: `globalThis.added = 1; vi.spyOn(Math, 'random');`,
  };
  for (const [name, code] of Object.entries(files)) {
    const text = `import { test, vi } from 'vitest'; test('passes', () => { ${code} });`;
    writeFileSync(join(folder, `${name}.test.mjs`), text);
  }
  const args = [VITEST, 'run', '--root', folder, '--reporter=json'];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch((error) => error);
  rmSync(folder, { recursive: true });
  const results = (JSON.parse(stdout) as Report).testResults.map(
    ({ name, message }) => [name.replace(/.*\/|\.test\.mjs$/g, ''), message?.split('\n')[0]] as const,
  );
  expect(Object.fromEntries(results)).toEqual({
    leaving:
      'left to the files after this one: fake timers, listeners of SIGTERM, setTimeout, process.env.LEFT',
    adding: '',
  });
}, 60_000);

test('no module that files share registers hooks when it is loaded, because that happens once for all files', () => {
  const folder = join(ROOT, 'test');
  const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && path !== 'support/leaks.ts',
  );
  expect(modules.length).toBeGreaterThan(50);
  const hooks = /^(before|after)(Each|All)\(/m;
  expect(modules.filter((path) => hooks.test(readFileSync(join(folder, path), 'utf8')))).toEqual([]);
});
