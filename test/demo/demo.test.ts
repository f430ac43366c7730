// `npm start` as a process: the printed commands work, and the streams are complete.
import { exec } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSse, type SseFrame } from '../support/sse.ts';
import { until } from '../support/wait.ts';
import { type Demo, startDemo } from './process.ts';

const TYPES_THAT_NAME_CHILDREN = ['task_start', 'task_status', 'agent_start', 'agent_status'];

let folder: string;
let demo: Demo;
let url: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'execstream-texts-'));
  writeFileSync(
    join(folder, 'b.md'),
    '# A small text\n\n```\n# no heading\n```\n\n## With umlauts\n\nGrüße, 世界 🙂\n',
  );
  writeFileSync(join(folder, 'a.txt'), 'one line  \r\n\r\nno end');
  writeFileSync(join(folder, 'c.bin'), Buffer.from([0x50, 0x4b, 0, 1, 2]));
  writeFileSync(join(folder, 'd.txt'), '');
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub', 'e.txt'), 'a line of a subfolder\n'.repeat(300));
  demo = await startDemo([folder, '--pace', '8']);
  [, url] = (await demo.prints(/Console +(http:\S+)\/\n/, 60_000)) as unknown as [string, string];
});

afterAll(async () => {
  await demo[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Follows an execution to its end. */
async function follow(kind: 'workflows' | 'agents' | 'tasks', id: string): Promise<SseFrame[]> {
  using stream = await openSse(`${url}/api/v0/executions/${kind}/${id}/stream`);
  expect(stream.status).toBe(200);
  expect(await stream.ended(30_000)).toBe('clean');
  return stream.frames;
}

async function state(kind: 'workflows' | 'agents' | 'tasks', id: string) {
  const response = await fetch(`${url}/api/v0/executions/${kind}/${id}`);
  expect(response.status).toBe(200);
  return (await response.json()) as { status: string; result: unknown; children: string[]; parent: string };
}

const textOf = (frames: readonly SseFrame[]) =>
  frames.flatMap(({ event, data }) => (event === 'llm_chunk' ? data : [])).join('');
const dataOf = (frames: readonly SseFrame[], type: string) =>
  frames.filter(({ event }) => event === type).map(({ data }) => JSON.parse(data));

/** The id of the first round's workflow, from the printed commands. */
async function firstWorkflow(): Promise<string> {
  const [, id] = await demo.prints(/agents\/(digest-[0-9a-z]+)-report\/stream/);
  return id!;
}

describe('demo', () => {
  test('the demo prints which parts are embedded and the limits of each', async () => {
    expect(demo.printed()).toMatch(/executions +embedded: PGlite in .+\n +single server only/);
    expect(demo.printed()).toMatch(/log +embedded: memory\n +lost when the process ends/);
  });

  test("the demo streams an agent's text, which is its stored result", async () => {
    const id = `${await firstWorkflow()}-report`;
    const frames = await follow('agents', id);
    expect(frames.at(-1)?.event).toBe('complete');
    expect(frames.filter(({ event }) => event === 'llm_chunk').length).toBeGreaterThan(40);
    const { status, result } = await state('agents', id);
    expect(status).toBe('SUCCESS');
    expect(textOf(frames)).toBe(result);
    expect(result).toMatch(/^# What is in 3 files\n/);
  });

  test("the demo reports a workflow's children in its stream, and lists them on its row", async () => {
    const id = await firstWorkflow();
    const frames = await follow('workflows', id);
    expect(frames.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['workflow_start', 'workflow_status', 'tool_call', ...TYPES_THAT_NAME_CHILDREN]),
    );
    const children = [1, 2, 3].map((n) => `${id}-read-${n}`).concat(`${id}-contents`, `${id}-report`);
    for (const type of ['start', 'status']) {
      const reported = [...dataOf(frames, `task_${type}`), ...dataOf(frames, `agent_${type}`)];
      expect(reported.map(({ executionId }) => executionId).sort()).toEqual([...children].sort());
    }
    const row = await state('workflows', id);
    expect(row.children.sort()).toEqual(children.sort());
    expect(row.result).toEqual({ files: 3, words: expect.any(Number) });
  });

  test('the demo reads each text file in a task, unchanged but with up to 200 lines', async () => {
    const id = await firstWorkflow();
    const ended = async (task: string) => {
      await follow('tasks', task);
      return (await state('tasks', task)).result;
    };
    expect(await ended(`${id}-read-1`)).toBe('one line  \r\n\r\nno end');
    expect(await ended(`${id}-read-2`)).toContain('Grüße, 世界 🙂\n');
    expect(await ended(`${id}-read-3`)).toBe('a line of a subfolder\n'.repeat(200));
  });

  test('the demo builds the contents with patches', async () => {
    const id = `${await firstWorkflow()}-contents`;
    const frames = await follow('agents', id);
    expect(frames.filter(({ event }) => event === 'structured_delta').length).toBeGreaterThan(5);
    expect((await state('agents', id)).result).toMatchObject({
      files: [
        { path: 'a.txt', lines: 3, headings: [] },
        {
          path: 'b.md',
          title: 'A small text',
          headings: [
            { level: 1, text: 'A small text' },
            { level: 2, text: 'With umlauts' },
          ],
        },
        { path: join('sub', 'e.txt'), lines: 200 },
      ],
      totals: { files: 3 },
    });
  });

  test('the demo prints curl commands that work as printed', async () => {
    await firstWorkflow();
    const lines = demo
      .printed()
      .split('\n')
      .filter((line) => line.startsWith('curl '));
    expect(lines).toHaveLength(4);
    const run = promisify(exec);
    const [full, rest, graphql, row] = await Promise.all(
      lines.map(async (line) => (await run(line, { timeout: 15_000 })).stdout),
    );
    expect(full).toMatch(/^retry: \d+\n[\s\S]*\nevent: complete\n/);
    const cursor = /'Last-Event-ID: (\S+)'/.exec(lines[1]!)![1]!;
    const cursors = (text: string) => [...text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id);
    const all = cursors(full!);
    expect(all).toContain(cursor);
    expect(cursors(rest!)).toEqual(all.slice(all.indexOf(cursor) + 1));
    expect(graphql).toMatch(/event: next\nid: |id: .+\nevent: next/);
    expect(JSON.parse(row!)).toMatchObject({ kind: 'AGENT', mode: 'TEXT' });
  });

  test('the demo continues with another round, and keeps ended executions in the list', async () => {
    await demo.prints(/Round 2: 3 files/);
    const query = '{ executions(kind: WORKFLOW) { edges { node { id status } } } }';
    const response = await fetch(`${url}/graphql?query=${encodeURIComponent(query)}`);
    const { data } = (await response.json()) as {
      data: { executions: { edges: { node: { id: string } }[] } };
    };
    expect(data.executions.edges.map(({ node }) => node.id)).toContain(await firstWorkflow());
  });

  test('the demo exits with 0 after SIGTERM, once it has ended running executions and rotated the other streams', async () => {
    const [, id] = await until(
      async () => {
        const query = '{ executions(kind: WORKFLOW, status: RUNNING) { edges { node { id } } } }';
        const response = await fetch(`${url}/graphql?query=${encodeURIComponent(query)}`);
        return /"id":"(.+?)"/.exec(await response.text());
      },
      { what: 'a running workflow', timeoutMs: 15_000 },
    );
    using stream = await openSse(`${url}/api/v0/executions/workflows/${id}/stream`);
    await stream.take(1);
    const startedMs = Date.now();
    expect(await demo.end('SIGTERM')).toBe(0);
    expect(Date.now() - startedMs).toBeLessThan(8_000);
    expect(await stream.ended()).toBe('clean');
    expect(dataOf(stream.frames, 'error')).toMatchObject([{ status: 'CANCELED' }]);
    expect(demo.printed()).not.toMatch(/"level":(40|50|60)/);
  });
});

describe('a demo that cannot start', () => {
  const outputOf = async (args: readonly string[], env: Record<string, string> = {}) => {
    await using failingDemo = await startDemo(args, { env });
    expect(await failingDemo.exited).toBe(1);
    return failingDemo.printed();
  };
  const line = (text: RegExp) => new RegExp(`^execstream: ${text.source}\n$`);

  test('a missing folder, or one without text files, is reported in one line with exit code 1', async () => {
    expect(await outputOf(['/nowhere/at/all'])).toMatch(line(/cannot read the folder .+ \(.+\)/));
    const empty = mkdtempSync(join(tmpdir(), 'execstream-empty-'));
    expect(await outputOf([empty])).toMatch(line(/no text files of up to 256 KiB in .+; choose another .+/));
    rmSync(empty, { recursive: true });
  });

  test('an invalid variable or option is reported in one line with exit code 1', async () => {
    expect(await outputOf([], { PORT: 'http' })).toMatch(line(/PORT: expected 0 to 65535, got "http"/));
    expect(await outputOf([], { REDIS_URL: 'localhost' })).toMatch(line(/REDIS_URL: expected a URL .+/));
    expect(await outputOf(['--speed', '3'])).toMatch(line(/Unknown option '--speed'; see --help/));
  });

  test('a port that is in use is reported in one line with exit code 1', { timeout: 60_000 }, async () => {
    const occupied = createServer();
    await new Promise<void>((resolve) => occupied.listen(0, '127.0.0.1', resolve));
    const { port } = occupied.address() as { port: number };
    expect(await outputOf([], { PORT: String(port) })).toMatch(line(/port \d+ of 127.0.0.1 is in use; .+/));
    occupied.close();
  });

  test('a data folder that another process uses is reported in one line with exit code 1', {
    timeout: 60_000,
  }, async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'execstream-locked-'));
    await using first = await startDemo([], { dataDir });
    await first.prints(/execstream is ready/);
    await using second = await startDemo([], { dataDir });
    expect(await second.exited).toBe(1);
    expect(second.printed()).toMatch(line(/data directory is in use by process \d+: .+/));
    expect(await first.end('SIGINT')).toBe(0);
    rmSync(dataDir, { recursive: true });
  });

  test('a data folder that is a file is reported in one line with exit code 1', async () => {
    expect(await outputOf([], { DATA_DIR: '/dev/null' })).toMatch(line(/cannot use the database folder .+/));
  });
});
