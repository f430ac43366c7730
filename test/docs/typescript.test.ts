// The TypeScript blocks of README.md and docs/, and the scripts of components. All of them are type-checked, with the names that the pages assume (a
// publisher, a model, SDK clients) declared globally. Those of docs/publishing.md and the complete programs are run.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { describeRedis } from '../support/redis.ts';
import { blocksOf, outputOf, ROOT, runCommand } from './blocks.ts';

const run = promisify(execFile);

/** Pages with TypeScript blocks. */
const PAGES = [
  'README.md',
  'docs/publishing.md',
  'docs/embedding.md',
  'docs/authentication.md',
  'docs/temporal.md',
  'docs/client.md',
  'docs/react.md',
];

/** Names that the blocks use without declaring them; a block's own declarations take precedence. */
const GLOBALS = `
import 'svelte';
import 'vue';
import type * as server from 'execstream';
import type { Client, StateStorage } from 'execstream/client';
import type { ExecutionStore, JsonValue, LivenessWriter, LogWriter, Publisher } from 'execstream/worker';
declare global {
  const config: server.Config;
  const parts: server.Parts;
  const execstream: server.Execstream;
  const settings: server.EventStreamSettings;
  const logger: server.ExecstreamOptions['logger'];
  const createExecstream: typeof server.createExecstream;
  const listen: typeof server.listen;
  const callerOf: (request: Request) => server.Caller | undefined;
  const client: Client;
  const id: string;
  const fetchToken: () => Promise<string>;
  const show: (...values: unknown[]) => void;
  const sessionStorage: StateStorage;
  const document: { getElementById(id: string): Element | null };
  const publisher: Publisher;
  const log: LogWriter & LivenessWriter & { close(): Promise<void> };
  const store: ExecutionStore;
  const lines: AsyncIterable<string>;
  const model: object;
  const callTool: (name: string, args: JsonValue | undefined) => Promise<JsonValue>;
  const schema: object;
  const messages: object[];
  const streamText: (options: object) => { fullStream: AsyncIterable<{ type: string }> };
  const streamObject: (options: object) => { fullStream: AsyncIterable<{ type: string }>; object: Promise<object> };
  const openai: {
    chat: { completions: { create(options: object): Promise<AsyncIterable<object>> } };
    responses: { create(options: object): Promise<AsyncIterable<{ type: string }>> };
  };
  const anthropic: { messages: { stream(options: object): AsyncIterable<{ type: string }> } };
}
`;

/** Defines the same names at run time, with an in-memory log and store, then imports every block in turn. */
const RUNNER = `
import { createMemoryLog } from '${ROOT}/src/log/memory.ts';
import { createMemoryStore } from '${ROOT}/test/support/memory-store.ts';
import { createPublisher } from 'execstream/worker';
async function* each(...items: unknown[]) { yield* items; }
const log = createMemoryLog();
const store = createMemoryStore();
Object.assign(globalThis, {
  log, store, publisher: createPublisher({ log, store }),
  lines: each('It is', ' fine.\\n'), model: {}, schema: {}, messages: [],
  callTool: async (name: string, args: unknown) => ({ name, args }),
  streamText: () => ({ fullStream: each(
    { type: 'text-delta', text: 'Hello' }, { type: 'finish', finishReason: 'stop', totalUsage: {} }) }),
  streamObject: () => ({
    fullStream: each({ type: 'object', object: { a: 1 } }, { type: 'finish', finishReason: 'stop', usage: {} }),
    object: Promise.resolve({ a: 1, b: 2 }) }),
  openai: {
    chat: { completions: { create: async () => each(
      { choices: [{ index: 0, delta: { content: 'Hello', tool_calls: [
        { index: 0, id: 'c1', function: { name: 'look', arguments: '{}' } }] }, finish_reason: 'stop' }] }) } },
    responses: { create: async () => each(
      { type: 'response.output_text.delta', delta: 'Hello' }, { type: 'response.completed', response: {} }) },
  },
  anthropic: { messages: { stream: () => each(
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
    { type: 'message_stop' }) } },
});
async function main() {
  for (const file of process.argv.slice(2)) await import(file);
  const { executions } = await store.list({ first: 100 });
  const outcomes = await Promise.all(executions.map(async ({ id }) => {
    const { status, result, error } = (await store.get(id))!;
    const { events } = (await log.read(id, 0, 1000))!;
    return [id, { status, result, code: error?.code, types: events.map(({ type }) => type) }];
  }));
  process.stderr.write(JSON.stringify(Object.fromEntries(outcomes)));
  process.exit(0);
}
main();
`;

let folder: string;
/** The files of each page's blocks, in order. */
let files: Record<string, string[]>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'execstream-docs-'));
  const write = (page: string) =>
    blocksOf(page)
      .filter(({ language }) => /^(tsx?|vue|svelte)$/.test(language))
      .map(({ language, text }, i) => {
        const path = join(
          folder,
          `${page.replace(/\W/g, '-')}-${i + 1}.${language === 'tsx' ? 'tsx' : 'ts'}`,
        );
        const [, script = text] = /^<script\b[^>]*>\n(.*)^<\/script>/ms.exec(text) ?? [];
        // Makes a block without imports and exports a module, too.
        writeFileSync(path, `${script}\nexport {};\n`);
        return path;
      });
  files = Object.fromEntries(PAGES.map((page) => [page, write(page)]));
  writeFileSync(join(folder, 'globals.d.ts'), GLOBALS);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const paths = {
    execstream: [`${ROOT}/src/index.ts`],
    'execstream/client': [`${ROOT}/src/client/index.ts`],
    'execstream/client/react': [`${ROOT}/src/client/react/index.ts`],
    'execstream/client/svelte': [`${ROOT}/src/client/svelte.ts`],
    'execstream/client/tabs': [`${ROOT}/src/client/tabs.ts`],
    'execstream/client/vue': [`${ROOT}/src/client/vue.ts`],
    'execstream/worker': [`${ROOT}/src/worker.ts`],
    'execstream/worker/http': [`${ROOT}/src/worker-http.ts`],
    'execstream/workflow': [`${ROOT}/src/temporal/workflow/index.ts`],
  };
  const base = { extends: `${ROOT}/tsconfig.json`, include: [`${folder}/*.ts`, `${folder}/*.tsx`] };
  const compilerOptions = {
    jsx: 'react-jsx',
    paths,
    typeRoots: [`${ROOT}/node_modules/@types`],
    rootDir: '/',
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...base, compilerOptions }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The compiler's output; empty if there are no errors. */
const check = () =>
  run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { cwd: folder }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );

/** Runs TypeScript files as a user would, with the package's names resolved to the sources. */
const withTsx = (...args: string[]) => ({
  args: ['--import', `file://${ROOT}/node_modules/tsx/dist/loader.mjs`, ...args],
  env: { PATH: process.env.PATH!, TSX_TSCONFIG_PATH: join(folder, 'tsconfig.json') },
});

test('every TypeScript block of the documentation compiles, and a mistake would be detected', async () => {
  expect(files['docs/publishing.md']!.length).toBeGreaterThan(8);
  for (const page of PAGES) expect(files[page]!.length, page).toBeGreaterThan(0);
  expect(await check()).toBe('');
  const wrong = join(folder, 'wrong.ts');
  writeFileSync(wrong, `await publisher.begin({ id: 1, kind: 'agent' });\nexport {};\n`);
  expect(await check()).toMatch(/wrong\.ts.*error TS2322/);
  rmSync(wrong);
}, 90_000);

describeRedis('README.md', () => {
  describePostgres('with Postgres', () => {
    test('the publishing program stores a poem and exits', async () => {
      await using database = await createDatabase();
      const { args, env } = withTsx(files['README.md']![0]!);
      // A program that does not close its connections would not exit: `run` would reject after the timeout.
      await run(process.execPath, args, {
        cwd: folder,
        env: { ...env, REDIS_URL: process.env.TEST_REDIS_URL!, DATABASE_URL: database.url },
        timeout: 30_000,
      });
      const store = createPrismaStore({ url: database.url });
      const { executions } = await store.list({ first: 10 });
      expect(executions).toMatchObject([{ id: expect.stringMatching(/^poem-\d+$/), status: 'SUCCESS' }]);
      expect((await store.get(executions[0]!.id))!.result).toBe('Roses are red,\nviolets are blue.\n');
      await store.close();
    }, 60_000);
  });
});

describe('docs/embedding.md', () => {
  test('the program serves what it published, and exits with 0 after SIGTERM', async () => {
    const server = files['docs/embedding.md']!.find((file) =>
      readFileSync(file, 'utf8').includes('readConfig()'),
    );
    const { args, env } = withTsx(server!);
    const command = [process.execPath, ...args].join(' ');
    await using program = runCommand(command, { ...env, PORT: '0', DATA_DIR: join(folder, 'data') });
    const [url] = await program.prints(/http:\S+\/stream/, 90_000);
    expect(await (await fetch(url)).text()).toMatch(
      /data: Hello from this process\.\n[\s\S]*event: complete/,
    );
    expect(await program.end('SIGTERM')).toBe(0);
    // As the page shows it, but for the port and the time.
    const masked = (text: string) => text.replace(/:\d+/g, ':0').replace(/hello-\d+/, 'hello');
    expect(masked(program.stdout)).toBe(`${masked(outputOf('docs/embedding.md', 'listening on'))}\n`);
  }, 120_000);
});

describe('docs/publishing.md', () => {
  test('every block does what the page describes', async () => {
    const runner = join(folder, 'runner.ts');
    writeFileSync(runner, RUNNER);
    const { args, env } = withTsx(runner, ...files['docs/publishing.md']!);
    const { stdout, stderr } = await run(process.execPath, args, { cwd: folder, env });
    expect(stdout).toBe('{ pattern: 1, bearer: 1 }\n');
    const outcomes = JSON.parse(stderr) as Record<
      string,
      { status: string; result: unknown; types: string[] }
    >;
    expect(outcomes).toMatchObject({
      'report-42': { status: 'SUCCESS', result: '# Report\n\nIt is fine.\n' },
      'letter-7': { status: 'SUCCESS', result: 'Dear reader,\n\nthis was already complete.\n' },
      'contents-42': { status: 'SUCCESS', result: { chapters: ['Start', 'Events'], pages: 12 } },
      'search-1': { status: 'FAILED', code: 'NO_ANSWER' },
      'nightly-1': { status: 'SUCCESS', result: { files: 4 } },
      'nightly-1-read': { status: 'SUCCESS', result: 'read 4 files' },
      'report-43': { status: 'SUCCESS', result: 'all of it' },
      'report-44': { status: 'SUCCESS', result: 'read' },
      'secret-1': { status: 'SUCCESS', result: 'for [redacted], with Authorization: Bearer [redacted]' },
      'object-1': { status: 'SUCCESS', result: { a: 1, b: 2 } },
      'tools-1': { status: 'SUCCESS', types: expect.arrayContaining(['tool_call']) },
      'abort-1': { status: 'SUCCESS', result: 'Hello' },
      ...Object.fromEntries(
        ['a', 'b', 'c', 'd'].map((id) => [`model-${id}`, { status: 'SUCCESS', result: 'Hello' }]),
      ),
    });
    expect(outcomes['report-43']!.types).toEqual([
      'agent_start',
      'llm_chunk',
      'warning',
      'reset',
      'agent_start',
      'llm_chunk',
      'complete',
    ]);
    expect(outcomes['letter-7']!.types.filter((type) => type === 'llm_chunk').length).toBeGreaterThan(2);
  }, 60_000);
});
