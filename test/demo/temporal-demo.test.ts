// `npm start -- --temporal` as a process: the digest is a Temporal workflow, and streams the same as without Temporal.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSse } from '../support/sse.ts';
import { describeOwnTemporal, describeTemporal, useTemporal } from '../support/temporal.ts';
import { until } from '../support/wait.ts';
import { startDemo } from './process.ts';

/** The demo needs these to find the CLI, and the test runner to find a server that a killed demo left behind. */
const VARIABLES = ['HOME', 'XDG_CACHE_HOME', 'TEST_TEMPORAL_CLI', 'TEMPORAL_CLI_PATH', 'TEST_FOLDER'];

describeOwnTemporal('demo on Temporal', () => {
  test('the demo runs its digest as a workflow that streams to its end, and cancels a running one when it stops', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'execstream-texts-'));
    writeFileSync(join(folder, 'a.md'), '# A small text\n\nGrüße, 世界 🙂\n');
    writeFileSync(join(folder, 'b.txt'), 'one constructor\nno end');
    const env = Object.fromEntries(VARIABLES.flatMap((name) => [[name, process.env[name] ?? '']]));
    await using demo = await startDemo([folder, '--temporal', '--pace', '8'], { env });
    const [, url] = await demo.prints(/Console +(http:\S+)\/\n/, 60_000);
    expect(demo.printed()).toMatch(/workflows +Temporal at 127.0.0.1:\d+, namespace default\n/);
    expect(demo.printed()).toMatch(/work +Temporal: the demo's worker .+\n +in-memory dev server/);
    const follow = async (path: string) => {
      using stream = await openSse(`${url}/api/v0/executions/${path}/stream`);
      expect(await stream.ended(30_000)).toBe('clean');
      return stream.frames;
    };

    const [, id] = await demo.prints(/agents\/(digest-[0-9a-z]+)-report\/stream/, 60_000);
    const report = await follow(`agents/${id}-report`);
    expect(report.at(-1)?.event).toBe('complete');
    const text = report.flatMap(({ event, data }) => (event === 'llm_chunk' ? data : [])).join('');
    expect(text).toMatch(/^# What is in 2 files\n/);
    expect(text).toContain('constructor');

    const frames = await follow(`workflows/${id}`);
    expect(frames.at(0)?.event).toBe('workflow_start');
    expect(frames.at(-1)?.event).toBe('complete');
    expect(JSON.parse(frames.at(-1)!.data).result).toEqual({ files: 2, words: expect.any(Number) });
    const children = ['read-1', 'read-2', 'contents', 'report'].map((name) => `${id}-${name}`).sort();
    for (const ending of ['_start', '_status']) {
      const reported = frames.filter(({ event }) => event === `task${ending}` || event === `agent${ending}`);
      expect(reported.map(({ data }) => JSON.parse(data).executionId).sort()).toEqual(children);
    }
    const row = await (await fetch(`${url}/api/v0/executions/workflows/${id}`)).json();
    expect(row).toMatchObject({ status: 'SUCCESS' });
    expect((row as { children: string[] }).children.sort()).toEqual(children);

    await demo.prints(/Round 1: 2 files/);
    const query = encodeURIComponent(
      '{ executions(kind: AGENT, status: RUNNING) { edges { node { id } } } }',
    );
    const [, next] = await until(
      async () => /"id":"(digest-\w+)-/.exec(await (await fetch(`${url}/graphql?query=${query}`)).text()),
      { what: 'an agent of another round', timeoutMs: 30_000 },
    );
    expect(next).not.toBe(id);
    using stream = await openSse(`${url}/api/v0/executions/workflows/${next}/stream`);
    await stream.take(1);
    expect(await demo.end('SIGTERM')).toBe(0);
    expect(await stream.ended()).toBe('clean');
    expect(stream.frames.at(-1)?.event).toBe('error');
    expect(JSON.parse(stream.frames.at(-1)!.data)).toMatchObject({ status: 'CANCELED' });
    expect(demo.printed()).not.toMatch(/"level":(40|50|60)|ERROR/);
    rmSync(folder, { recursive: true });
  }, 120_000);
});

describeTemporal('demo on a running Temporal server', () => {
  const temporal = useTemporal();

  test('the demo runs its digest on the server at TEMPORAL_ADDRESS, and streams its agent to the end', async () => {
    await using demo = await startDemo(['--pace', '8'], { env: { TEMPORAL_ADDRESS: temporal.address } });
    const [, id] = await demo.prints(/agents\/(digest-[0-9a-z]+)-report\/stream/, 60_000);
    const [, url] = /Console +(http:\S+)\/\n/.exec(demo.printed())!;
    expect(demo.printed()).toContain(`Temporal at ${temporal.address}`);
    using stream = await openSse(`${url}/api/v0/executions/agents/${id}-report/stream`);
    expect(await stream.ended(60_000)).toBe('clean');
    expect(stream.frames.at(-1)?.event).toBe('complete');
    const run = await temporal.client.workflow.getHandle(id!).describe();
    expect(run.type).toBe('digest');
    expect(await demo.end('SIGTERM')).toBe(0);
  }, 150_000);
});

describe('demo without Temporal', () => {
  test('the demo reports an unreachable Temporal address in one line, and waits', async () => {
    await using demo = await startDemo([], { env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } });
    const [line] = await demo.prints(/The worker waits and retries.*\n/, 60_000);
    expect(line).toMatch(/Temporal is unreachable \(.+\); check TEMPORAL_ADDRESS\n$/);
    expect(demo.printed()).not.toMatch(/^ +at /m);
  }, 90_000);

  test('the demo reports in one line that --temporal requires the CLI', async () => {
    await using demo = await startDemo(['--temporal'], { env: { PATH: '' } });
    expect(await demo.exited).toBe(1);
    expect(demo.printed()).toMatch(/^execstream: --temporal: no Temporal CLI was found .+\n$/);
  });
});
