// The TypeScript of docs/: each block is checked by the compiler and run, in a folder of its own, with what the pages
// take for granted (a publisher, a model, the clients of SDKs) declared beside it.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocksOf, ROOT } from './blocks.ts';

const run = promisify(execFile);

/** What the blocks do not say themselves; a block's own declaration of a name comes before these. */
const GIVEN = `
import type { ExecutionStore, LogWriter, Publisher } from 'execstream/worker';
declare global {
  const publisher: Publisher;
  const log: LogWriter;
  const store: ExecutionStore;
  const model: { readonly textStream: AsyncIterable<string> };
  const schema: object;
  const messages: object[];
  const streamText: (options: object) => { fullStream: AsyncIterable<{ type: string }> };
  const streamObject: (options: object) => { partialObjectStream: AsyncIterable<object> };
  const openai: {
    chat: { completions: { create(options: object): Promise<AsyncIterable<object>> } };
    responses: { create(options: object): Promise<AsyncIterable<{ type: string }>> };
  };
  const anthropic: { messages: { stream(options: object): AsyncIterable<{ type: string }> } };
}
`;

/** The same at run time, over a log and a store in memory; then every block in turn. */
const RUNNER = `
import { createMemoryLog } from '${ROOT}/src/log/memory.ts';
import { createMemoryStore } from '${ROOT}/test/support/memory-store.ts';
import { createPublisher } from 'execstream/worker';
async function* each(...items: unknown[]) { yield* items; }
const log = createMemoryLog();
const store = createMemoryStore();
Object.assign(globalThis, {
  log, store, publisher: createPublisher({ log, store }),
  model: { textStream: each('It is', ' fine.\\n') },
  schema: {}, messages: [],
  streamText: () => ({ fullStream: each(
    { type: 'text-delta', text: 'Hello' }, { type: 'finish', finishReason: 'stop', totalUsage: {} }) }),
  streamObject: () => ({ partialObjectStream: each({ a: 1 }, { a: 1, b: 2 }) }),
  openai: {
    chat: { completions: { create: async () => each(
      { choices: [{ index: 0, delta: { content: 'Hello' }, finish_reason: 'stop' }] }) } },
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
  const told = await Promise.all(executions.map(async ({ id }) => {
    const { status, result, error } = (await store.get(id))!;
    const { events } = (await log.read(id, 0, 1000))!;
    return [id, { status, result, code: error?.code, types: events.map(({ type }) => type) }];
  }));
  process.stderr.write(JSON.stringify(Object.fromEntries(told)));
  process.exit(0);
}
main();
`;

let folder: string;
let files: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'execstream-docs-'));
  const blocks = blocksOf('docs/publishing.md').filter(({ language }) => language === 'ts');
  files = blocks.map(({ text }, i) => {
    const path = join(folder, `block-${i + 1}.ts`);
    // A block without import or export is a module all the same.
    writeFileSync(path, `${text}\nexport {};\n`);
    return path;
  });
  writeFileSync(join(folder, 'given.d.ts'), GIVEN);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const paths = { 'execstream/worker': [`${ROOT}/src/worker.ts`] };
  const base = { extends: `${ROOT}/tsconfig.json`, include: [`${folder}/*.ts`] };
  const compilerOptions = { paths, typeRoots: [`${ROOT}/node_modules/@types`], rootDir: '/' };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...base, compilerOptions }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** All that it printed, where the compiler finds something. */
const check = () =>
  run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { cwd: folder }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );

describe('docs/publishing.md', () => {
  test('every block of TypeScript passes the compiler, which finds a mistake where there is one', async () => {
    expect(files.length).toBeGreaterThan(8);
    expect(await check()).toBe('');
    const wrong = join(folder, 'wrong.ts');
    writeFileSync(wrong, `await publisher.begin({ id: 1, kind: 'agent' });\nexport {};\n`);
    expect(await check()).toMatch(/wrong\.ts.*error TS2322/);
    rmSync(wrong);
  }, 90_000);

  test('every block does what the page says of it', async () => {
    const runner = join(folder, 'runner.ts');
    writeFileSync(runner, RUNNER);
    const tsx = `file://${ROOT}/node_modules/tsx/dist/loader.mjs`;
    const env = { PATH: process.env.PATH, TSX_TSCONFIG_PATH: join(folder, 'tsconfig.json') };
    const { stdout, stderr } = await run(process.execPath, ['--import', tsx, runner, ...files], {
      cwd: folder,
      env,
    });
    expect(stdout).toBe('{ pattern: 1, bearer: 1 }\n');
    const told = JSON.parse(stderr) as Record<string, { status: string; result: unknown; types: string[] }>;
    expect(told).toMatchObject({
      'report-42': { status: 'SUCCESS', result: '# Report\n\nIt is fine.\n' },
      'letter-7': { status: 'SUCCESS', result: 'Dear reader,\n\nthis was written at once.\n' },
      'contents-42': { status: 'SUCCESS', result: { chapters: ['Start', 'Events'], pages: 12 } },
      'search-1': { status: 'FAILED', code: 'NO_ANSWER' },
      'nightly-1': { status: 'SUCCESS', result: { files: 4 } },
      'nightly-1-read': { status: 'SUCCESS', result: 'read 4 files' },
      'report-43': { status: 'SUCCESS', result: 'all of it' },
      'report-44': { status: 'SUCCESS', result: 'read' },
      'secret-1': { status: 'SUCCESS', result: 'for [redacted], with Authorization: Bearer [redacted]' },
      'object-1': { status: 'SUCCESS', result: { a: 1, b: 2 } },
      ...Object.fromEntries(
        ['a', 'b', 'c', 'd'].map((id) => [`model-${id}`, { status: 'SUCCESS', result: 'Hello' }]),
      ),
    });
    expect(told['report-43']!.types).toEqual([
      'agent_start',
      'llm_chunk',
      'warning',
      'reset',
      'agent_start',
      'llm_chunk',
      'complete',
    ]);
    expect(told['letter-7']!.types.filter((type) => type === 'llm_chunk').length).toBeGreaterThan(2);
  }, 60_000);
});
