// `execstream tail` in a pipe, with real servers: its output, its messages, its exit codes, and restarts.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import type { FailedStatus } from '../../src/event/events.ts';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { runCommand } from '../docs/blocks.ts';
import { type ListeningApp, startApp } from '../support/app.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { until } from '../support/wait.ts';
import { execstream, startExecstream, withServer } from './execstream.ts';

// On a busy machine, each process takes seconds to load.
vi.setConfig({ testTimeout: 60_000 });

let app: ListeningApp;
beforeEach(async () => {
  app = await startApp();
});
afterEach(() => app.close());

const tail = (args: string, env: Record<string, string> = {}) =>
  execstream(`tail ${args}`, { ...withServer(app.url), ...env });

/** Lines without their time. */
const untimed = (text: string) => text.replace(/^\d\d:\d\d:\d\d /gm, '');

async function poem(id: string): Promise<void> {
  const run = await app.publisher.begin({ id, kind: 'agent', agentId: 'poet' });
  await run.text('Roses are red,\n');
  await run.toolCall({ toolCallId: 't1', toolName: 'rhyme', status: 'started', args: { with: 'red' } });
  await run.toolCall({ toolCallId: 't1', toolName: 'rhyme', status: 'succeeded', durationMs: 19 });
  await run.text('violets are blue.');
  await run.complete();
}

describe('an execution', () => {
  test('its text alone goes to stdout, exactly, and lines about everything else to stderr', async () => {
    await poem('p1');
    const { code, stdout, stderr } = await tail('agent p1');
    expect([code, stdout]).toEqual([0, 'Roses are red,\nviolets are blue.\n']);
    expect(untimed(stderr).replace(/in \d+ ms\n$/, 'in N ms\n')).toBe(
      [
        'agent_start poet',
        'tool_call rhyme started {"with":"red"}',
        'tool_call rhyme succeeded in 19 ms',
        'complete SUCCESS in N ms',
        '',
      ].join('\n'),
    );
  });

  test('its value is printed at the end', async () => {
    const run = await app.publisher.begin({ id: 'v1', kind: 'task', mode: 'STRUCTURED' });
    await run.value({ a: [1] });
    await run.value({ a: [1, 2] });
    await run.complete();
    const { code, stdout } = await tail('tasks v1');
    expect([code, JSON.parse(stdout)]).toEqual([0, { a: [1, 2] }]);
  });

  test('of a workflow, the lines go to stdout', async () => {
    const workflow = await app.publisher.begin({ id: 'w1', kind: 'workflow', name: 'digest' });
    await workflow.status('RUNNING', 'read');
    await workflow.complete({ files: 6 });
    const { code, stdout, stderr } = await tail('workflow w1');
    expect([code, stderr]).toEqual([0, '']);
    expect(untimed(stdout)).toMatch(
      /^workflow_start digest w1\nworkflow_status RUNNING read\ncomplete SUCCESS in .* \{"files":6\}\n$/,
    );
  });

  test('--json prints each event as one line, for programs such as jq', async () => {
    await poem('p2');
    const { code, stdout, stderr } = await tail('agent p2 --json');
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([code, stderr]).toEqual([0, '']);
    expect(events.map(({ seq, type }) => `${seq} ${type}`)).toEqual([
      '1 agent_start',
      '2 llm_chunk',
      '3 tool_call',
      '4 tool_call',
      '5 llm_chunk',
      '6 complete',
    ]);
    expect(events[1]).toMatchObject({ executionId: 'p2', attempt: 1, data: { content: 'Roses are red,\n' } });
  });

  test('--after continues after a cursor, and prints the rest alone', async () => {
    await poem('p3');
    const { stdout } = await tail('agent p3 --json');
    const [, second, , , , last] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id as string);
    const rest = await tail(`agent p3 --after ${second}`);
    expect([rest.code, rest.stdout]).toEqual([0, 'violets are blue.\n']);
    expect(await tail(`agent p3 --after ${last}`)).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('--events selects types, and the exit code is still that of the outcome', async () => {
    await poem('p4');
    const selected = await tail('agent p4 --json --events tool_call,LLM_CHUNK');
    expect(selected.code).toBe(0);
    const types = selected.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).type);
    expect(types).toEqual(['llm_chunk', 'tool_call', 'tool_call', 'llm_chunk']);
  });

  test('after a gap, the text starts over with what the log has, and the result completes it', async () => {
    await app.close();
    app = await startApp({ log: createMemoryLog({ ...DEFAULT_BOUNDS, maxEvents: 3 }) });
    const run = await app.publisher.begin({ id: 'g1', kind: 'agent' });
    for (let i = 0; i < 12; i += 1) {
      await run.text(`${i}\n`);
      await run.warning('NOTE', `${i}`);
    }
    await until(() => run.stats.queuedBytes === 0, { what: 'an empty outbox' });
    await using command = await startExecstream('tail agent g1', withServer(app.url));
    await command.prints(/ gap /);
    await run.complete();
    expect(await command.exited).toBe(0);
    expect(command.stdout.endsWith('0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n')).toBe(true);
  });

  test('a second attempt starts the text over', async () => {
    const run = await app.publisher.begin({ id: 'r1', kind: 'agent', attempt: 1 });
    await run.text('half');
    await using command = await startExecstream('tail agent r1', withServer(app.url));
    await until(() => command.stdout === 'half', { what: 'the first half', timeoutMs: 20_000 });
    const second = await app.publisher.begin({ id: 'r1', kind: 'agent', attempt: 2 });
    await second.text('complete');
    await second.complete();
    expect(await command.exited).toBe(0);
    expect(command.stdout).toBe('half\ncomplete\n');
    expect(command.stderr).toContain('reset attempt\n');
  });
});

describe('exit codes', () => {
  test.each<[FailedStatus, number]>([
    ['FAILED', 1],
    ['CANCELED', 3],
    ['TIMED_OUT', 4],
    ['TERMINATED', 5],
  ])('an execution that ends as %s exits with %d', async (status, code) => {
    const run = await app.publisher.begin({ id: 'f1', kind: 'agent' });
    await run.text('half');
    await run.fail(new Error('out of luck'), { status, code: 'LUCK' });
    const result = await tail('agent f1');
    expect([result.code, result.stdout]).toEqual([code, 'half\n']);
    expect(untimed(result.stderr)).toContain(`error ${status} LUCK out of luck in `);
  });

  test.each([
    ['agent nobody', 6, 'no such execution: nobody'],
    ['robot a1', 2, 'kind: expected workflow, agent or task, got "robot"'],
    ['agent a1 --after x', 2, '--after: "x" is not a cursor; expected <seq>-<epoch>, such as 42-k3f9ab01zz'],
    [
      'agent a1 --url localhost:4000',
      2,
      '--url: expected a URL that begins with http:// or https://, got "localhost:4000"',
    ],
  ])('%s exits with %d and its message', async (args, code, message) => {
    expect(await tail(args)).toEqual({ code, stdout: '', stderr: `execstream: ${message}\n` });
  });

  test('an unknown event type exits with 2 and is named', async () => {
    const { code, stderr } = await tail('agent a1 --events llm_chunk,nope');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^execstream: --events: expected workflow_start, .*, got "nope"\n$/),
    ]);
  });

  test('a server that is not there exits with 8 and the reason, without retries', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await tail(`agent a1 --url ${url}`);
    expect([code, stderr]).toEqual([8, `execstream: cannot reach ${url}: connection refused\n`]);
    const unknown = await tail('agent a1 --url http://nobody.invalid');
    expect([unknown.code, unknown.stderr]).toEqual([
      8,
      expect.stringMatching(/^execstream: cannot reach http:\/\/nobody\.invalid: .*host/),
    ]);
  });

  test('a server of something else exits with 8', async () => {
    const other = createServer((_, response) => {
      response.setHeader('content-type', 'text/html').end('<h1>hello</h1>');
    }).listen(0, '127.0.0.1');
    await until(() => other.listening);
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await tail(`agent a1 --url http://127.0.0.1:${port}`);
    other.close();
    expect([code, stderr]).toEqual([8, expect.stringContaining('expected text/event-stream, got text/html')]);
  });

  test('messages of a server cannot control the terminal', async () => {
    const detail = 'busy \x1b]0;title\x07\r\nexecstream: \u202eall is well';
    const problem = (status: number, code: string) => (_: unknown, response: ServerResponse) =>
      response.writeHead(status).end(JSON.stringify({ code, detail }));
    const responses = [problem(503, 'CAPACITY'), problem(404, 'NOT_FOUND')];
    const other = createServer((request, response) => responses.shift()!(request, response));
    other.listen(0, '127.0.0.1');
    await until(() => other.listening);
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await tail(`agent a1 --url http://127.0.0.1:${port}`);
    other.close();
    const shown = 'busy \ufffd]0;title\ufffd';
    expect([code, stderr]).toEqual([
      6,
      `not connected (${shown} execstream: \ufffdall is well); trying again\n` +
        `execstream: ${shown}\nexecstream: \ufffdall is well\n`,
    ]);
  });

  test('a missing and a wrong token exit with 7; the token of the environment is sent', async () => {
    await app.close();
    app = await startApp({
      auth: {
        authenticate: async (request: Request) =>
          request.headers.get('authorization') === 'Bearer good'
            ? { id: 'ann', tenant: undefined, scopes: ['read', 'publish'] }
            : undefined,
      } as never,
    });
    await poem('p5');
    const missing = await tail('agent p5');
    expect([missing.code, missing.stderr]).toEqual([
      7,
      expect.stringMatching(/^execstream: .*; set --token or EXECSTREAM_TOKEN\n$/),
    ]);
    expect((await tail('agent p5 --token bad')).code).toBe(7);
    expect((await tail('agent p5', { EXECSTREAM_TOKEN: 'good' })).code).toBe(0);
  });

  test('SIGINT exits with 130 and prints the command with which to resume', async () => {
    const run = await app.publisher.begin({ id: "it's", kind: 'agent' });
    await run.text('half');
    await using command = await startExecstream(`tail agent "it's"`, withServer(app.url));
    await until(() => command.stdout === 'half', { what: 'the text', timeoutMs: 20_000 });
    expect(await command.end('SIGINT')).toBe(130);
    const [, args] = /^resume with: execstream (tail agent 'it'\\''s' --after 2-\w+)$/m.exec(command.stderr)!;
    await run.text(', rest');
    await run.complete();
    const rest = await execstream(args!, withServer(app.url));
    expect([rest.code, rest.stdout]).toEqual([0, ', rest\n']);
  });

  test('a reader that closes the pipe ends the command silently', async () => {
    const run = await app.publisher.begin({ id: 'e1', kind: 'agent' });
    for (let i = 0; i < 200; i += 1) await run.text(`line ${i}\n`);
    const command = `set -o pipefail; ${process.execPath} bin/execstream.js tail agent e1 2>/dev/null | head -n 1`;
    await using piped = runCommand(command, withServer(app.url));
    await piped.prints(/line 0\n/);
    // The command notices at its next write.
    const write = setInterval(() => void run.text('more\n'), 100);
    expect(await piped.exited).toBe(0);
    clearInterval(write);
    expect(piped.stderr).toBe('');
  });
});

describe('a server that restarts', () => {
  test('the text arrives completely and once, and the interruption is one line', async () => {
    const [log, store, port] = [createMemoryLog(), createMemoryStore(), await freePort()];
    await app.close();
    app = await startApp({ log, store, port, settings: { retryMs: 50 } });
    const run = await app.publisher.begin({ id: 's1', kind: 'agent' });
    await run.text('one ');
    await using command = await startExecstream('tail agent s1', withServer(app.url));
    await until(() => command.stdout === 'one ', { what: 'the text', timeoutMs: 20_000 });
    await until(() => run.stats.queuedBytes === 0, { what: 'an empty outbox' });
    await app.close();
    await command.prints(/connection lost \(connection refused\); trying again\n/);
    app = await startApp({ log, store, port });
    await command.prints(/reconnected\n/);
    const again = await app.publisher.begin({ id: 's1', kind: 'agent', attempt: 2 });
    await again.text('two');
    await again.complete();
    expect(await command.exited).toBe(0);
    expect(command.stdout).toBe('one \ntwo\n');
    expect(command.stderr.match(/connection lost/g)).toHaveLength(1);
  });

  test('a rotated connection is not visible', async () => {
    await app.close();
    app = await startApp({ settings: { lifetimeMs: 1_000, retryMs: 10 } });
    const run = await app.publisher.begin({ id: 'o1', kind: 'agent' });
    await using command = await startExecstream('tail agent o1', withServer(app.url));
    let text = '';
    for (let i = 0; i < 40; i += 1) {
      text += `${i} `;
      await run.text(`${i} `);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await run.complete();
    expect(await command.exited).toBe(0);
    expect(command.stdout).toBe(`${text}\n`);
    expect(command.stderr).not.toContain('connection');
  });
});
