// Runs the commands of README.md and docs/: curl against a server, SQL in Postgres, and redis-cli in Redis.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { EventSource } from 'eventsource';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { findPart, POSTGRES, REDIS } from '../../scripts/test-services.ts';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { createPublisher } from '../../src/publish/publisher.ts';
import { type ListeningApp, startApp } from '../support/app.ts';
import { createDatabase, describeOwnPostgres, describePostgres, startPostgres } from '../support/postgres.ts';
import { describeOwnRedis, startRedis } from '../support/redis.ts';
import { openSse } from '../support/sse.ts';
import { until } from '../support/wait.ts';
import { type Block, blocksOf, commandOf, hasProgram, outputOf, replaced, runCommand } from './blocks.ts';

const PAGE = 'docs/publishing.md';

/** Includes psql and redis-cli, which are installed next to the servers. */
const PATH = [findPart(POSTGRES), dirname(findPart(REDIS) ?? '.'), process.env.PATH]
  .filter(Boolean)
  .join(delimiter);

let app: ListeningApp | undefined;
afterEach(() => app?.close());

/** Runs a command against the test's server until it exits, and returns its stdout. */
async function runToEnd(command: string, env: Record<string, string> = {}): Promise<string> {
  const local = app ? command.replaceAll('localhost:4000', new URL(app.url).host) : command;
  await using running = runCommand(local, { PATH, ...env });
  const code = await running.exited;
  expect(code, running.printed).toBe(0);
  return running.stdout;
}

describe('docs/publishing.md, over HTTP', () => {
  test('the commands, pasted one after another, publish a poem and print what the page shows', async () => {
    app = await startApp();
    const all = blocksOf(PAGE).filter(({ language, text }) => language === 'sh' && text.includes('curl'));
    expect(all).toHaveLength(4);
    const [begin, first, last, read] = all.map(({ text }) => text) as [string, string, string, string];
    const printed = await runToEnd([begin, first, 'echo', last, 'echo', read].join('\n'));
    const [one, two, ...stream] = printed.split('\n');
    expect([one, two]).toEqual([outputOf(PAGE, '{"head":2}'), outputOf(PAGE, '{"head":4}')]);
    expect(stream.join('\n')).toMatch(/^retry: [\s\S]*event: llm_chunk\ndata: Roses are red,\ndata: \n/);
    const state = await (await fetch(`${app.url}/api/v0/executions/agents/poem-3`)).json();
    expect(state).toMatchObject({ status: 'SUCCESS', result: 'Roses are red,\nviolets are blue.\n' });
  });
});

describe('README.md and docs/start.md', () => {
  test("the commands find the demo's agent, take a cursor of its stream, and resume after it", async () => {
    app = await startApp();
    const run = await app.publisher.begin({ id: 'digest-x1-report', kind: 'agent' });
    for (const text of ['one', 'two', 'three', 'four']) await run.text(text);
    // Events that are published together would be one event: the cursor of the fourth is needed below.
    await run.toolCall({ toolCallId: 't', toolName: 't', status: 'started' });
    await run.text('five');
    await run.toolCall({ toolCallId: 't', toolName: 't', status: 'succeeded' });
    await run.complete();
    for (const page of ['README.md', 'docs/start.md']) {
      expect(await runToEnd(`${commandOf(page, 'ID=$(')}\necho "found $ID"`)).toContain(
        'found digest-x1-report\n',
      );
    }
    const resumed = await runToEnd(commandOf('README.md', 'CURSOR=$('), { ID: run.id });
    const ids = [...resumed.matchAll(/^id: (\d+)-/gm)].map(([, seq]) => Number(seq));
    expect(ids[0]).toBe(5);
    expect(resumed).toContain('event: complete');
  });

  test('the GraphQL command of README.md streams the agent', async () => {
    app = await startApp();
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    await run.text('one');
    await run.complete();
    const printed = await runToEnd(commandOf('README.md', 'agentStream'), { ID: 'a1' });
    expect(printed).toContain('"content":"one"');
    expect(printed).toMatch(/event: complete\ndata: ?\n/);
  });

  test('curl streams an agent and resumes after a cursor', async () => {
    app = await startApp();
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    await run.text('one');
    await run.complete();
    const whole = await runToEnd(commandOf('docs/start.md', 'curl -N localhost'), { ID: 'a1' });
    const cursors = [...whole.matchAll(/^id: (.+)$/gm)].map(([, id]) => id!);
    expect(cursors).toHaveLength(3);
    const resume = blocksOf('docs/start.md').find(({ text }) => text.includes('$CURSOR'))!.text;
    const rest = await runToEnd(resume, { ID: 'a1', CURSOR: cursors[0]! });
    expect([...rest.matchAll(/^id: (.+)$/gm)].map(([, id]) => id)).toEqual(cursors.slice(1));
    const nothing = await runToEnd(replaced(resume, { 'curl -N': 'curl -N -w "%{http_code}"' }), {
      ID: 'a1',
      CURSOR: cursors[2]!,
    });
    expect(nothing).toBe('204');
  });
});

describe('docs/rest.md', () => {
  test('the JavaScript collects a text, starts over after a reset, and closes at the end', async () => {
    app = await startApp();
    const block = blocksOf('docs/rest.md').find(({ language }) => language === 'js')!.text;
    const script = replaced(block, { '`/api/': `\`\${base}/api/` });
    const pieces: string[] = [];
    const output = {
      append: (piece: string) => pieces.push(piece),
      replaceChildren: () => pieces.splice(0),
    };
    const first = await app.publisher.begin({ id: 'a/1', kind: 'agent', attempt: 1 });
    await first.text('half');
    const make = new Function('EventSource', 'output', 'id', 'base', `${script}\nreturn source;`);
    const source = make(EventSource, output, 'a/1', app.url) as EventSource;
    try {
      await until(() => pieces.join('') === 'half', { what: 'the half' });
      const second = await app.publisher.begin({ id: 'a/1', kind: 'agent', attempt: 2 });
      await second.text('whole');
      await second.complete();
      await until(() => source.readyState === EventSource.CLOSED, { what: 'a closed source' });
      expect(pieces.join('')).toBe('whole');
    } finally {
      source.close();
    }
  });
});

describePostgres('docs/publishing.md, rows written with SQL', () => {
  test('a viewer sees the poem grow and end', async () => {
    await using database = await createDatabase();
    const store = createPrismaStore({ url: database.url });
    await store.ready();
    app = await startApp({ store });
    const engine = new pg.Client({ connectionString: database.url });
    await engine.connect();
    try {
      const sql = blocksOf(PAGE).find(({ language }: Block) => language === 'sql')!.text;
      const [insert, ...updates] = sql.split(/;(?:\n|$)/).filter((statement) => statement.trim() !== '');
      expect(updates).toHaveLength(3);
      await engine.query(insert!);
      using stream = await openSse(`${app.url}/api/v0/executions/tasks/poem-4/stream?poll_ms=250`);
      const marks = ['llm_chunk', 'task_status', 'complete'];
      for (const [i, update] of updates.entries()) {
        await until(() => i > 0 || stream.frames.length > 0, { what: 'the start', timeoutMs: 10_000 });
        await engine.query(update);
        await until(() => stream.frames.some(({ event }) => event === marks[i]), {
          what: marks[i]!,
          timeoutMs: 10_000,
        });
      }
      await stream.ended();
      const text = stream.frames.map(({ event, data }) => (event === 'llm_chunk' ? data : '')).join('');
      expect(text).toBe('Roses are red,\nviolets are blue.\n');
      expect(stream.frames.map(({ event }) => event)).not.toContain('reset');
    } finally {
      await engine.end();
      await app.close();
      app = undefined;
      await store.close();
    }
  }, 40_000);

  test.skipIf(!hasProgram('psql', { PATH }))(
    'the script that creates the table of revisions can be run repeatedly',
    async () => {
      await using database = await createDatabase();
      const store = createPrismaStore({ url: database.url });
      await store.ready();
      const command = commandOf(PAGE, 'revisions.sql');
      for (let i = 0; i < 2; i += 1) await runToEnd(command, { DATABASE_URL: database.url });
      await store.begin({ id: 'r', kind: 'task', mode: 'TEXT' });
      for (const status of ['WAITING', 'PAUSED', 'RUNNING'] as const) await store.setStatus('r', 1, status);
      const states = (await store.statesAfter('r', 0, 10))!;
      expect(states.map(({ status }) => status)).toEqual(['RUNNING', 'WAITING', 'PAUSED', 'RUNNING']);
      await store.close();
    },
    40_000,
  );
});

// Roles belong to the entire server, so the test has its own.
describeOwnPostgres('docs/configuration.md, database roles', () => {
  test('the grants suffice for a worker and for a server, and allow no more than stated', async () => {
    await using postgres = await startPostgres();
    const as = (role: string) => postgres.url.replace('postgres@', `${role}@`);
    const owner = createPrismaStore({ url: postgres.url });
    await owner.ready();
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(blocksOf('docs/configuration.md').find(({ language }) => language === 'sql')!.text);
    await client.end();

    const store = createPrismaStore({ url: as('execstream_worker') });
    const log = createMemoryLog();
    const publisher = createPublisher({ log, store });
    const run = await publisher.begin({ id: 'a1', kind: 'agent' });
    await run.status('WAITING');
    await run.text('one');
    expect(await run.complete()).toBe(true);
    expect(await store.get('a1')).toMatchObject({ status: 'SUCCESS', end: { seq: expect.any(Number) } });
    await publisher.close();
    const begun = await store.begin({ id: 'a2', kind: 'agent', mode: 'TEXT' });
    await expect(store.undoBegin(begun, undefined)).rejects.toThrow();
    const first = { id: 'w1', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w1', attempt: 1 } as const;
    const started = { ...first, runId: 'r1', startedAt: new Date(1_000) };
    await store.begin(started);
    expect(await store.begin(started)).toMatchObject({ runId: 'r1' });
    const later = { ...first, runId: 'r2', startedAt: new Date(2_000) };
    await expect(store.begin(later)).rejects.toThrow('SQLSTATE 42501');
    await Promise.all([store.close(), log.close()]);

    const server = createPrismaStore({ url: as('execstream_server') });
    await server.ping();
    expect(await server.undoBegin(begun, undefined)).toBe(true);
    expect(await server.begin(later)).toMatchObject({ runId: 'r2' });
    expect((await server.list({ first: 10 })).executions.map(({ id }) => id)).toEqual(['a1', 'w1']);
    await Promise.all([server.close(), owner.close()]);
  }, 60_000);
});

describeOwnRedis('docs/publishing.md, directly to Redis', () => {
  test.skipIf(!hasProgram('redis-cli', { PATH }))(
    'the scripts, run with redis-cli, create a log that viewers can read',
    async () => {
      await using redis = await startRedis();
      const log = createRedisLog({ redis: redis.url });
      app = await startApp({ log });
      const folder = mkdtempSync(join(tmpdir(), 'execstream-lua-'));
      try {
        await app.store.begin({ id: 'poem-5', kind: 'task', mode: 'TEXT' });
        // The page writes to the current directory, which is the repository; the test must not leave files there.
        await runToEnd(
          replaced(commandOf(PAGE, 'defineScripts'), { "name + '.lua'": `'${folder}/' + name + '.lua'` }),
        );
        const cli = (part: string) =>
          runToEnd(
            replaced(commandOf(PAGE, part), {
              'redis://localhost:6379': redis.url,
              '--eval ': `--eval ${folder}/`,
            }),
          );
        expect((await cli('--eval openLog.lua')).split('\n').slice(0, 8)).toEqual([
          'opened',
          'k3f9ab01zzq4',
          '0',
          'auto',
          '1',
          '0',
          '1',
          '',
        ]);
        using stream = await openSse(`${app.url}/api/v0/executions/tasks/poem-5/stream`);
        const appending = '--eval appendToLog.lua';
        expect(await cli(appending)).toBe('appended\n2\n');
        // The same batch again: stored once, with the same response.
        expect(await cli(appending)).toBe('appended\n2\n');
        await until(() => stream.frames.length === 2, { what: 'two messages' });
        expect(stream.frames).toEqual([
          { id: '1-k3f9ab01zzq4', event: 'task_start', data: '{"taskId":"poem"}' },
          { id: '2-k3f9ab01zzq4', event: 'llm_chunk', data: 'Roses are red,' },
        ]);
        expect(await log.head('poem-5')).toMatchObject({ hasPublisher: true, attempt: 1, head: 2 });
      } finally {
        rmSync(folder, { recursive: true });
        await app.close();
        app = undefined;
        await log.close();
      }
    },
  );
});
