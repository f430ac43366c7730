// The examples that follow an execution in a terminal, as their READMEs run them, while their server is killed.
import { expect, test } from 'vitest';
import { createHttpPublisher } from '../../src/worker-http.ts';
import { commandOf, replaced, runCommand } from '../docs/blocks.ts';
import { startProcess } from '../server/process.ts';
import { describeOwnRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';

const EXAMPLES = ['graphql-typed', 'sse-node', 'terminal'];

/** What readers of event streams get wrong: blanks at the edges, line breaks, colons. */
const PIECES = ['One\r\n', '  two \t', 'ü ☃ 𝄞\n\n', 'data: x', '\r', '\n three\n'];

describeOwnRedis('over Redis', () => {
  test('each example shows the text completely and once, although its server is killed', async () => {
    await using redis = await startRedis();
    await using server = await startProcess({ REDIS_URL: redis.url });
    // While the embedded database is still starting, the publisher's first request would be repeated later.
    const isReady = async () => (await fetch(`${server.url}/health/ready`)).ok;
    await until(isReady, { what: 'a ready database', timeoutMs: 60_000 });
    await using publisher = createHttpPublisher({ url: server.url, logger: false });
    const run = await publisher.begin({ id: 'poem', kind: 'agent' });
    await using commands = startAll(server.url);
    let text = '';
    let count = 0;
    const publish = async (pieces: readonly string[]) => {
      for (const piece of pieces) {
        text += piece;
        await run.text(piece);
        // Texts that are published together would be one event.
        await run.toolCall({ toolCallId: `call-${count++}`, toolName: 'write', status: 'started' });
      }
    };
    const haveText = () =>
      until(() => commands.outputs().every((output) => output === text), {
        what: `the text in ${JSON.stringify(commands.outputs())}`,
        timeoutMs: 30_000,
      });
    await publish(PIECES);
    await haveText();
    await server.kill();
    await publish(PIECES);
    await server.start();
    await haveText();
    await publish(PIECES);
    await run.complete();
    expect(await commands.exited()).toEqual(EXAMPLES.map(() => 0));
    expect(commands.outputs()).toEqual(EXAMPLES.map(() => text));
  }, 120_000);
});

function startAll(url: string) {
  const running = EXAMPLES.map((name) => {
    const command = commandOf(`examples/${name}/README.md`, 'demo-1-guide', true);
    return runCommand(replaced(command, { 'demo-1-guide': 'poem' }), { EXECSTREAM_URL: url });
  });
  return {
    outputs: () => running.map(({ stdout }) => stdout),
    exited: () => Promise.all(running.map(({ exited }) => exited)),
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((command) => command[Symbol.asyncDispose]()));
    },
  };
}
