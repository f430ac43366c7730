// `execstream ls`, `state` and `replay`, with a real server.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { createPace } from '../../src/cli/commands/replay.ts';
import type { ExecutionEvent } from '../../src/event/events.ts';
import { type ListeningApp, startApp } from '../support/app.ts';
import { until } from '../support/wait.ts';
import { execstream, startExecstream, withServer } from './execstream.ts';

// On a busy machine, each process takes seconds to load.
vi.setConfig({ testTimeout: 60_000 });

let app: ListeningApp;
beforeEach(async () => {
  app = await startApp();
});
afterEach(() => app.close());

const run = (args: string) => execstream(args, withServer(app.url));

async function begin(): Promise<void> {
  const agent = await app.publisher.begin({
    id: 'a 1',
    kind: 'agent',
    name: 'poet',
    input: { topic: 'roses' },
  });
  await agent.text('Roses are red.\n');
  await agent.complete();
  const task = await app.publisher.begin({ id: 't1', kind: 'task', name: 'charge' });
  await task.fail(new Error('no money'), { code: 'DECLINED' });
  await app.publisher.begin({ id: 'w1', kind: 'workflow', name: 'order' });
}

describe('execstream ls', () => {
  test('lists executions, newest first, with filters', async () => {
    await begin();
    const all = await run('ls');
    expect(all).toMatchObject({ code: 0, stderr: '' });
    const rows = all.stdout.trimEnd().split('\n');
    expect(rows[0]).toMatch(/^ID +KIND +STATUS +NAME +ATTEMPT +STARTED +DURATION$/);
    expect(rows.slice(1).map((row) => row.split(/ {2,}/).slice(0, 4))).toEqual([
      ['w1', 'workflow', 'RUNNING', 'order'],
      ['t1', 'task', 'FAILED', 'charge'],
      ['a 1', 'agent', 'SUCCESS', 'poet'],
    ]);
    const failed = await run('ls --json --status failed --kind tasks');
    expect(JSON.parse(failed.stdout)).toMatchObject({ id: 't1', status: 'FAILED', name: 'charge' });
    expect((await run('ls -n 1')).stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  test('an empty list is empty', async () => {
    expect(await run('ls')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('--watch prints changes until it is interrupted', async () => {
    await begin();
    await using watching = await startExecstream('ls --watch --json', withServer(app.url));
    await until(() => watching.stdout.split('\n').length === 4, { what: 'three rows', timeoutMs: 20_000 });
    await app.publisher.begin({ id: 'a2', kind: 'agent' });
    await watching.prints(/"id":"a2"/);
    expect(await watching.end('SIGINT')).toBe(130);
    expect(watching.stdout.trimEnd().split('\n')).toHaveLength(4);
  });

  test.each([
    ['--kind robot', 2, 'kind: expected workflow, agent or task, got "robot"'],
    ['--status fine', 2, '--status: expected pending, running, waiting, paused, success,'],
    ['--first 0', 2, '--first: expected 1 to 100, got "0"'],
    ['--url http://127.0.0.1:9', 8, 'cannot reach http://127.0.0.1:9: '],
  ])('%s exits with %d and a message', async (args, code, message) => {
    const result = await run(`ls ${args}`);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(`execstream: ${message}`);
  });
});

describe('execstream state', () => {
  test('shows what is known of an execution, with its input and result', async () => {
    await begin();
    const { code, stdout } = await run('state agent "a 1"');
    expect(code).toBe(0);
    expect(stdout.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME').replace(/\d+ ms/, 'N ms')).toMatch(
      new RegExp(
        [
          '^id        a 1',
          'kind      agent',
          'status    SUCCESS',
          'name      poet',
          'attempt   1',
          'started   TIME',
          'finished  TIME',
          'duration  N ms',
          'cursor    3-\\w+',
          '',
          'input',
          '\\{',
          '  "topic": "roses"',
          '\\}',
          '',
          'result',
          'Roses are red.\n$',
        ].join('\n'),
      ),
    );
    expect((await run('state task t1')).stdout).toMatch(/^error +DECLINED: no money$/m);
  });

  test('--json prints the state of the REST API', async () => {
    await begin();
    const { stdout } = await run('state agent "a 1" --json');
    const response = await fetch(`${app.url}/api/v0/executions/agents/a%201`);
    expect(JSON.parse(stdout)).toEqual(await response.json());
  });

  test.each([
    ['agent nobody', 6, 'no such execution: nobody'],
    ['agent ..', 6, 'no such execution: ..'],
    ['robot a1', 2, 'kind: expected workflow, agent or task, got "robot"'],
    [
      'agent "~execstream/x"',
      2,
      '"~execstream/x" is not an execution id; ids that start with ~execstream/ are reserved',
    ],
  ])('%s exits with %d and its message', async (args, code, message) => {
    expect(await run(`state ${args}`)).toEqual({ code, stdout: '', stderr: `execstream: ${message}\n` });
  });

  test('a server that is not there exits with 8', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await run(`state agent a1 --url ${url}`);
    expect([code, stderr]).toEqual([8, `execstream: cannot reach ${url}: connection refused\n`]);
  });
});

describe('execstream replay', () => {
  test('shows an execution again, with the exit code of its outcome', async () => {
    await begin();
    const { code, stdout } = await run('replay agent "a 1" --speed 100x');
    expect([code, stdout]).toEqual([0, 'Roses are red.\n']);
    expect((await run('replay task t1 --max-pause 0')).code).toBe(1);
  });

  test.each([
    ['--speed fast', '--speed: expected a factor up to 1000x, such as 4x, got "fast"'],
    ['--speed 0', '--speed: expected a factor up to 1000x, such as 4x, got "0"'],
    ['--max-pause long', '--max-pause: expected 0 to 3600, got "long"'],
  ])('%s exits with 2', async (args, message) => {
    const { code, stderr } = await run(`replay agent a1 ${args}`);
    expect([code, stderr]).toEqual([2, `execstream: ${message}\n`]);
  });
});

describe('the pace of a replay', () => {
  const at = (ms: number) => ({ ts: new Date(ms).toISOString() }) as ExecutionEvent;

  /** The pauses before each event, in ms, by fake timers. */
  async function pauses(times: readonly number[], speed: number, maxPauseMs: number): Promise<number[]> {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const pace = createPace(speed, maxPauseMs);
      const result: number[] = [];
      for (const time of times) {
        const before = performance.now();
        const paused = pace(at(time), new AbortController().signal);
        await vi.runAllTimersAsync();
        await paused;
        result.push(Math.round(performance.now() - before));
      }
      return result;
    } finally {
      vi.useRealTimers();
    }
  }

  test('is that of the events, divided by the speed', async () => {
    expect(await pauses([0, 1_000, 1_000, 1_500], 1, 3_000)).toEqual([0, 1_000, 0, 500]);
    expect(await pauses([0, 1_000, 3_000], 4, 3_000)).toEqual([0, 250, 500]);
  });

  test('long pauses are cut, and clocks that go back cause none', async () => {
    expect(await pauses([0, 60_000, 61_000], 1, 3_000)).toEqual([0, 3_000, 1_000]);
    expect(await pauses([10_000, 0, 500], 1, 3_000)).toEqual([0, 0, 500]);
  });

  test('an interruption ends the pause', async () => {
    const controller = new AbortController();
    const pace = createPace(1, 60_000);
    await pace(at(0), controller.signal);
    const paused = pace(at(60_000), controller.signal);
    controller.abort();
    await expect(paused).rejects.toThrow();
  });
});
