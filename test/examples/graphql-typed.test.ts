// Follows the README of examples/graphql-typed literally: its types are generated and current, and it compiles and runs.
// test/examples/restart.test.ts restarts its server.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { commandOf, outputOf, ROOT, replaced, runCommand } from '../docs/blocks.ts';
import { startApp } from '../support/app.ts';
import { until } from '../support/wait.ts';
import { guideOf, linesBeforeText, startDemo } from './demo.ts';

// On a busy machine, each process takes seconds to load.
vi.setConfig({ testTimeout: 120_000 });

const FOLDER = join(ROOT, 'examples/graphql-typed');
const README = 'examples/graphql-typed/README.md';

const follow = (url: string, id: string) =>
  runCommand(`node --import tsx examples/graphql-typed/watch.ts ${id}`, { EXECSTREAM_URL: url });

describe('the types', () => {
  /** A copy of the example without its types, from which relative paths lead to the same files. */
  let copy: string;
  beforeAll(() => {
    mkdirSync(join(ROOT, '.cache'), { recursive: true });
    copy = mkdtempSync(join(ROOT, '.cache/graphql-typed-'));
    for (const name of ['watch.ts', 'codegen.ts']) cpSync(join(FOLDER, name), join(copy, name));
    const compilerOptions = { lib: ['es2023', 'esnext.disposable', 'dom', 'dom.iterable'] };
    const tsconfig = { extends: '../../tsconfig.json', compilerOptions, include: ['watch.ts'], exclude: [] };
    writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify(tsconfig));
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  const edit = (name: string, change: Readonly<Record<string, string>>) =>
    writeFileSync(join(copy, name), replaced(readFileSync(join(FOLDER, name), 'utf8'), change));
  const generate = async () => {
    rmSync(join(copy, 'watch.gen.ts'), { force: true });
    await using command = runCommand(
      replaced(commandOf(README, 'graphql-codegen)'), { 'examples/graphql-typed': copy }),
    );
    expect(await command.exited, command.printed).toBe(0);
    return readFileSync(join(copy, 'watch.gen.ts'), 'utf8');
  };
  const compile = () =>
    spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', copy], { encoding: 'utf8' }).stdout;

  test('are those that the command of the README generates, from the file and from a server', async () => {
    const committed = readFileSync(join(FOLDER, 'watch.gen.ts'), 'utf8');
    expect(await generate()).toBe(committed);
    await using app = await startApp();
    edit('codegen.ts', { '../../schema.graphql': `${app.url}/graphql` });
    expect(await generate()).toBe(committed);
  });

  test('let the example compile, but not with a field that does not exist or is not selected', async () => {
    edit('codegen.ts', {});
    await generate();
    expect(compile()).toBe('');
    for (const other of ['contents', 'seq']) {
      edit('watch.ts', { 'text += event.content': `text += event.${other}` });
      expect(compile()).toMatch(new RegExp(`^.*watch.ts\\(\\d+,\\d+\\): error .*'${other}' does not exist`));
    }
  });
});

test('the command of the README follows the demo', async () => {
  await using demo = await startDemo(README);
  await using shown = demo.follow('demo-1-guide');
  expect(await shown.exited).toBe(0);
  expect(shown.stdout).toBe(await guideOf(demo));
  const output = outputOf(README, 'AgentStartEvent');
  const end = output.slice(output.lastIndexOf('\n') + 1);
  expect(shown.stderr).toBe(`${linesBeforeText(output)}${end}\n`);
});

test('a reset starts the text over, and a failure exits with 1 and its message', async () => {
  await using app = await startApp();
  const run = await app.publisher.begin({ id: 'r', kind: 'agent', attempt: 1 });
  await run.text('half');
  await run.toolCall({ toolCallId: 't1', toolName: 'search', status: 'failed', error: 'no network' });
  await using command = follow(app.url, 'r');
  await command.prints(/search failed "no network"/);
  const second = await app.publisher.begin({ id: 'r', kind: 'agent', attempt: 2 });
  await second.text('complete');
  await second.fail(new Error('out of luck'));
  expect(await command.exited).toBe(1);
  expect(command.stdout).toBe('half\ncomplete');
  expect(command.stderr).toMatch(/^starting over: attempt\n[\s\S]*^FAILED: out of luck\n$/m);
});

test('a gap starts the text over, and the result completes it', async () => {
  await using app = await startApp({ log: createMemoryLog({ ...DEFAULT_BOUNDS, maxEvents: 3 }) });
  const run = await app.publisher.begin({ id: 'g', kind: 'agent' });
  for (let i = 0; i < 12; i += 1) {
    await run.text(`${i} `);
    await run.warning('NOTE', `${i}`);
  }
  await until(() => run.stats.queuedBytes === 0, { what: 'an empty outbox' });
  await using command = follow(app.url, 'g');
  await command.prints(/events are missing/);
  await run.complete();
  expect(await command.exited).toBe(0);
  expect(command.stdout).toMatch(/(^|\n)0 1 2 3 4 5 6 7 8 9 10 11 $/);
});

test('an unknown agent exits with 2 and the reason', async () => {
  await using app = await startApp();
  await using command = follow(app.url, 'nobody');
  expect(await command.exited).toBe(2);
  expect(command.stderr).toMatch(/no such execution: nobody\n$/);
});
