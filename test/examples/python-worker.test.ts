// Follows the README of examples/python-worker literally, against `npm start`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { type Command, commandOf, hasProgram, outputOf, replaced, runCommand } from '../docs/blocks.ts';
import { openSse } from '../support/sse.ts';
import { until } from '../support/wait.ts';

const README = 'examples/python-worker/README.md';

const TEXT = `Workers die. Some run out of memory, some are moved to another machine, some hit a bug.
Whatever they have published is then void, and the next attempt publishes it again: viewers start over and end up \
with this text, once.
`;

describe.skipIf(!hasProgram('python3'))('examples/python-worker', () => {
  let folder: string;
  let server: Command;
  let url: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'execstream-python-'));
    const port = String(await freePort());
    url = `http://localhost:${port}`;
    server = runCommand('npm start', { PORT: port, DATA_DIR: join(folder, 'data') });
    await server.prints(/execstream is ready/, 60_000);
  }, 70_000);
  afterAll(async () => {
    await server?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  const worker = (command: string) => runCommand(command, { EXECSTREAM_URL: url });
  /** The output in the README, with this server's URL. */
  const expectedOutput = (part: string) =>
    `${outputOf(README, part).replace('http://localhost:4000', url)}\n`;

  test('a worker that dies and is restarted publishes the text once, for a viewer from the start and for a late one', async () => {
    await using first = worker(commandOf(README, '--die'));
    expect(await first.exited).toBe(1);
    expect(first.stdout).toBe(expectedOutput('dying'));

    const watching = replaced(commandOf(README, 'curl -N'), { 'http://localhost:4000': url });
    await using viewer = runCommand(watching);
    await viewer.prints(/event: llm_chunk/);
    const path = /\/api\S+/.exec(watching)![0];
    using follower = await openSse(url + path);
    await until(() => follower.frames.length > 12, { what: 'the half that the first attempt published' });

    await using second = worker(commandOf(README, 'worker.py poem-1', true));
    expect(await second.exited).toBe(0);
    expect(second.stdout.replace(/\d+\n$/, 'N\n')).toBe(expectedOutput('ended at').replace(/\d+\n$/, 'N\n'));
    const head = Number(/ended at (\d+)/.exec(second.stdout)![1]);
    expect(
      Math.abs(head - Number(/ended at (\d+)/.exec(expectedOutput('ended at'))![1])),
    ).toBeLessThanOrEqual(3);

    expect(await follower.ended()).toBe('clean');
    expect(await viewer.exited).toBe(0);
    using lateViewer = await openSse(url + path);
    await lateViewer.ended();
    for (const { frames } of [follower, lateViewer]) {
      const at = frames.findIndex(({ event }) => event === 'reset');
      expect(JSON.parse(frames[at]!.data)).toEqual({ reason: 'attempt' });
      const text = (selected: typeof frames) =>
        selected.map(({ event, data }) => (event === 'llm_chunk' ? data : '')).join('');
      expect(TEXT.startsWith(text(frames.slice(0, at)))).toBe(true);
      expect(text(frames.slice(0, at)).length).toBeGreaterThan(50);
      expect(text(frames.slice(at))).toBe(TEXT);
      expect(frames.at(-1)!.event).toBe('complete');
      expect(JSON.parse(frames.at(-1)!.data)).toMatchObject({ status: 'SUCCESS', result: TEXT });
      expect(Number.parseInt(frames.at(-1)!.id!, 10)).toBe(head);
    }
    expect(viewer.stdout).toContain('event: reset\ndata: {"reason":"attempt"}\n');
  }, 60_000);

  test('a first worker that was only paused is rejected with the message in the README', async () => {
    const command = replaced(commandOf(README, 'worker.py poem-1', true), { 'poem-1': 'poem-2' });
    await using first = worker(`exec ${command}`);
    await first.prints(/attempt 1/);
    process.kill(first.pid, 'SIGSTOP');
    await using second = worker(command);
    await second.prints(/attempt 2/);
    process.kill(first.pid, 'SIGCONT');
    expect(await first.exited).toBe(1);
    expect(first.stderr).toBe(`${outputOf(README, 'SUPERSEDED').replace('poem-1', 'poem-2')}\n`);
    expect(await second.exited).toBe(0);
    const state = await (await fetch(`${url}/api/v0/executions/agents/poem-2`)).json();
    expect(state).toMatchObject({ status: 'SUCCESS', attempt: 2, result: TEXT });
  }, 60_000);
});
