// Follows the README of examples/agent literally: text, tool calls and usage of an agent, and its failures.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createClient, type ExecutionState } from '../../src/client/index.ts';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { type Command, commandOf, outputOf, replaced, runCommand } from '../docs/blocks.ts';
import { foldLog } from '../publish/fold.ts';
import { type ListeningApp, startApp } from '../support/app.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { describeOwnRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';

// On a busy machine, each process takes seconds to load.
vi.setConfig({ testTimeout: 120_000 });

const README = 'examples/agent/README.md';
const TEXT = `Let me check the weather in Oslo and Cairo.

- Oslo: -3 °C
- Cairo: 31 °C

It is warmest in Cairo.
`;
/** That of both responses of the mock model. */
const USAGE = { inputTokens: 100, outputTokens: 40, totalTokens: 140, model: 'mock-model' };

/** An agent that runs, and the command that it prints. */
async function runAgent(command: string, env: Record<string, string>) {
  const agent = runCommand(`exec ${command}`, env);
  const [tail, id] = await agent.prints(/^npx execstream tail agent (weather-\d+)$/m);
  return { agent, tail, id: id! };
}

function stateOf(url: string, id: string): Promise<ExecutionState> {
  return createClient({ url }).follow('agent', id).ended;
}

/** Without what differs between runs. */
const masked = (output: string) =>
  output.replace(/^\d\d:\d\d:\d\d /gm, '').replace(/ in [\d.]+ (?:ms|s)/g, ' in N s');

describe('over HTTP', () => {
  let app: ListeningApp;
  let env: Record<string, string>;
  beforeAll(async () => {
    app = await startApp();
    env = { EXECSTREAM_URL: app.url };
  });
  afterAll(() => app.close());

  const start = (part: string, atEnd = false) => runAgent(commandOf(README, part, atEnd), env);
  const ended = async (agent: Command, id: string) =>
    [await agent.exited, await stateOf(app.url, id)] as const;

  test('the agent publishes its text, its tool calls and its usage, and prints its text', async () => {
    const { agent, id } = await start('agent.ts', true);
    const [code, state] = await ended(agent, id);
    expect([code, agent.stderr]).toEqual([0, '']);
    expect(agent.stdout).toBe(`npx execstream tail agent ${id}\n\n${TEXT}`);
    const call = { name: 'weather', status: 'succeeded', durationMs: expect.any(Number) };
    expect(state).toMatchObject({
      status: 'SUCCESS',
      text: TEXT,
      subject: { agentId: 'weather', action: 'compare' },
      end: { status: 'SUCCESS', result: TEXT, usage: USAGE },
    });
    expect(state.toolCalls).toEqual([
      { ...call, id: 'weather-Oslo', args: { city: 'Oslo' }, result: { city: 'Oslo', degrees: -3 } },
      { ...call, id: 'weather-Cairo', args: { city: 'Cairo' }, result: { city: 'Cairo', degrees: 31 } },
    ]);
  });

  test('the command that it prints shows it while it runs, as in the README', async () => {
    const { agent, tail } = await start('agent.ts', true);
    const command = replaced(tail, { 'npx execstream': `${process.execPath} bin/execstream.js` });
    await using shown = runCommand(command, env);
    await shown.prints(/Let me check/);
    expect(await shown.exited).toBe(0);
    expect(await agent.exited).toBe(0);
    const output = masked(outputOf(README, 'agent_start'));
    // In a pipe, the text and the other lines are apart.
    const isText = (line: string) => !/^(?:agent_start|tool_call|complete) /.test(line);
    const [text, lines] = [
      output.split('\n').filter(isText),
      output.split('\n').filter((line) => !isText(line)),
    ];
    expect(shown.stdout).toBe(`${text.join('\n')}\n`);
    expect(shown.stdout).toBe(TEXT);
    expect(masked(shown.stderr)).toBe(`${lines.join('\n')}\n`);
  });

  test('a tool that fails is a failed call, and the model continues', async () => {
    const { agent, id } = await start('Atlantis');
    const [code, state] = await ended(agent, id);
    expect(code).toBe(0);
    expect(state.toolCalls.map(({ status, error }) => error ?? status)).toEqual([
      'succeeded',
      'there is no weather station in Atlantis',
    ]);
    expect(state.end).toMatchObject({ status: 'SUCCESS', usage: USAGE });
    expect(state.text).toContain('- Lima: 19 °C\n- there is no weather station in Atlantis\n');
  });

  test('a model that fails ends the execution as FAILED, with the text so far', async () => {
    const { agent, id } = await start('--overloaded');
    const [code, state] = await ended(agent, id);
    expect(code).toBe(1);
    expect(agent.stderr).toBe(`${outputOf(README, 'overloaded')}\n`);
    expect(state.end).toMatchObject({ status: 'FAILED', message: 'the model is overloaded' });
    expect(state.text).toMatch(/^Let me check .*\n\n- Oslo/);
    expect(TEXT.startsWith(state.text!)).toBe(true);
  });

  test('an agent that is killed is followed by its next attempt', async () => {
    const { agent, id } = await start('--id');
    const textOf = async () => (await foldLog(app.log, id)).text;
    await until(async () => (await textOf()).length > 10, { what: 'a part of the text', timeoutMs: 30_000 });
    await agent.end('SIGKILL');
    const { agent: second } = await start('--id');
    const [code, state] = await ended(second, id);
    expect(code).toBe(0);
    expect(state).toMatchObject({ status: 'SUCCESS', attempt: 2, text: TEXT });
    expect((await foldLog(app.log, id)).resets).toEqual(['attempt']);
  });

  test('Ctrl-C ends the execution as CANCELED', async () => {
    const { agent, id } = await start('agent.ts', true);
    expect(await agent.end('SIGINT')).toBe(1);
    expect(await stateOf(app.url, id)).toMatchObject({ status: 'CANCELED' });
  });
});

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    test('the agent publishes to them, without a server', async () => {
      await using redis = await startRedis();
      await using database = await createDatabase();
      const [exports] = commandOf(README, 'export ').split('\n');
      expect(exports).toMatch(/^export REDIS_URL=\S+ DATABASE_URL=\S+$/);
      await using store = createPrismaStore({ url: database.url });
      await using log = createRedisLog({ redis: redis.url });
      await store.ready();
      const command = commandOf(README, 'agent.ts', true);
      const env = { REDIS_URL: redis.url, DATABASE_URL: database.url };
      const { agent, id } = await runAgent(command, env);
      expect(await agent.exited).toBe(0);
      expect(await store.get(id)).toMatchObject({ status: 'SUCCESS', result: TEXT, usage: USAGE });
      expect((await log.read(id, 0, 100))!.events.at(-1)).toMatchObject({ type: 'complete' });
    });
  });
});
