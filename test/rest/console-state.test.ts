// The generated reducer that the console and examples/sse-browser use.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildState } from '../../scripts/build-state.ts';
import { consoleHtml } from '../../src/rest/console.ts';
import { CONSOLE_STATE } from '../../src/rest/console-state.gen.ts';

test('the generated files are identical to the output of scripts/build-state.ts', async () => {
  for (const [path, content] of Object.entries(await buildState())) {
    const stored = readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
    expect(stored === content, `${path}: run node --import tsx scripts/build-state.ts`).toBe(true);
  }
});

test('the only script of the console contains the reducer', () => {
  expect(consoleHtml('').match(/<\/?script>/g)).toEqual(['<script>', '</script>']);
  expect(consoleHtml('')).toContain(CONSOLE_STATE);
  expect(consoleHtml('')).not.toContain('EXECUTION_STATE');
});
