// Follows the README of examples/terminal literally. test/examples/restart.test.ts restarts its server.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { commandOf, outputOf, replaced, runCommand } from '../docs/blocks.ts';
import { startApp } from '../support/app.ts';
import { until } from '../support/wait.ts';
import { guideOf, linesBeforeText, startDemo } from './demo.ts';

// On a busy machine, each process takes seconds to load.
vi.setConfig({ testTimeout: 120_000 });

const README = 'examples/terminal/README.md';

const follow = (url: string, kind: string, id: string) =>
  runCommand(`node --import tsx examples/terminal/watch.ts ${kind} ${id}`, { EXECSTREAM_URL: url });

test('the commands of the README follow the demo, save its text, and report an unknown execution', async () => {
  await using demo = await startDemo(README);
  await using shown = runCommand(commandOf(README, 'demo-1-guide', true), { EXECSTREAM_URL: demo.url });
  expect(await shown.exited).toBe(0);
  const guide = await guideOf(demo);
  expect(shown.stdout).toBe(guide);
  expect(shown.stderr).toContain(linesBeforeText(outputOf(README, 'agent_start')));
  const folder = mkdtempSync(join(tmpdir(), 'execstream-terminal-'));
  const save = replaced(commandOf(README, '> /tmp/guide.txt'), { '/tmp/guide.txt': `${folder}/guide.txt` });
  await using saved = runCommand(save, { EXECSTREAM_URL: demo.url });
  expect(await saved.exited).toBe(0);
  expect(readFileSync(join(folder, 'guide.txt'), 'utf8')).toBe(guide);
  rmSync(folder, { recursive: true });
  await using unknown = demo.follow('agent nobody');
  expect(await unknown.exited).toBe(2);
  expect(unknown.stderr).toBe(`${outputOf(README, 'ExecstreamError')}\n`);
});

test('a reset starts the text over, and a failure exits with 1 and its message', async () => {
  await using app = await startApp();
  const run = await app.publisher.begin({ id: 'r', kind: 'agent', attempt: 1 });
  await run.text('half');
  await using command = follow(app.url, 'agent', 'r');
  await until(() => command.stdout === 'half', { what: 'the first half', timeoutMs: 30_000 });
  const second = await app.publisher.begin({ id: 'r', kind: 'agent', attempt: 2 });
  await second.text('complete');
  await second.fail(new Error('out of luck'));
  expect(await command.exited).toBe(1);
  expect(command.stdout).toBe('half\ncomplete\n');
  expect(command.stderr).toMatch(/^reset \{"reason":"attempt"\}\n[\s\S]*"message":"out of luck"/m);
});

test('a gap starts the text over, and the end completes it, or the program reports that it is incomplete', async () => {
  await using app = await startApp({ log: createMemoryLog({ ...DEFAULT_BOUNDS, maxEvents: 3 }) });
  for (const [id, size] of [
    ['small', 10],
    ['large', 10_000],
  ] as const) {
    const run = await app.publisher.begin({ id, kind: 'agent' });
    let text = '';
    for (let i = 0; i < 12; i += 1) {
      const piece = `${i}${'x'.repeat(size)}\n`;
      text += piece;
      await run.text(piece);
      await run.warning('NOTE', `${i}`);
    }
    await until(() => run.stats.queuedBytes === 0, { what: 'an empty outbox' });
    await using command = follow(app.url, 'agent', id);
    await command.prints(/^gap /m);
    await run.complete();
    expect(await command.exited).toBe(0);
    if (id === 'small') expect(command.stdout.endsWith(`\n${text}`)).toBe(true);
    else expect(command.stderr).toMatch(/^the beginning is missing$/m);
  }
});

test('a value is shown at the end, and a workflow has its events alone', async () => {
  await using app = await startApp();
  const task = await app.publisher.begin({ id: 'v', kind: 'task', mode: 'STRUCTURED' });
  await task.value({ items: [1] });
  await task.value({ items: [1, 2] });
  await task.complete();
  const workflow = await app.publisher.begin({ id: 'w', kind: 'workflow', name: 'digest' });
  await workflow.complete({ files: 6 });
  await using ofTask = follow(app.url, 'task', 'v');
  await using ofWorkflow = follow(app.url, 'workflow', 'w');
  expect(await ofTask.exited).toBe(0);
  expect(JSON.parse(ofTask.stdout)).toEqual({ items: [1, 2] });
  expect(await ofWorkflow.exited).toBe(0);
  expect([ofWorkflow.stdout, ofWorkflow.stderr]).toEqual(['', expect.stringContaining('{"files":6}')]);
});

test('a reader that closes the pipe ends the program', async () => {
  await using app = await startApp();
  const run = await app.publisher.begin({ id: 'p', kind: 'agent' });
  for (let i = 0; i < 200; i += 1) await run.text(`line ${i}\n`);
  const command = 'node --import tsx examples/terminal/watch.ts agent p';
  await using piped = runCommand(`set -o pipefail; ${command} 2>/dev/null | head -n 1`, {
    EXECSTREAM_URL: app.url,
  });
  await piped.prints(/line 0\n/);
  // The program notices at its next write.
  const writing = setInterval(() => void run.text('more\n'), 100);
  expect(await piped.exited).toBe(0);
  clearInterval(writing);
});
