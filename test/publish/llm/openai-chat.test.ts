// The adapter for chat completions, with OpenAI's SDK 5 to 7 against a server that replays them. Beside OpenAI's own
// form, it covers what other servers with the same API send.
import { expect, test } from 'vitest';
import { completeWith, publishOpenAiChat } from '../../../src/worker.ts';
import { describeModelSdks, replayModel, sse } from '../../support/model-sdks.ts';
import { CALLS, named, oslo, rome, start } from './chat-calls.ts';
import { called, chunk, DONE, finished } from './chat-chunks.ts';
import { FAILURES, TEXTS } from './chat-servers.ts';
import { CHAT, createOpenAi, OPENAI_VERSIONS } from './openai.ts';
import { outcomeOf } from './run.ts';

describeModelSdks.each(OPENAI_VERSIONS)('chat completions of openai %s', (version) => {
  const publish = async (server: { url: string }) => {
    const openai = await createOpenAi(version, server);
    return outcomeOf((run) =>
      completeWith(run, async () => publishOpenAiChat(run, await openai.chat.completions.create(CHAT))),
    );
  };

  test.each(TEXTS)('a text %s is published', async (_, messages, expected) => {
    await using server = await replayModel(sse(...messages));
    const { text, end } = await publish(server);
    expect(text).toBe(expected);
    const usage = { inputTokens: 8, outputTokens: 9, totalTokens: 17, model: 'gpt-x' };
    expect(end).toMatchObject({ status: 'SUCCESS', result: expected, usage });
  });

  test.each(CALLS)('tool calls %s are published', async (_, messages, expected) => {
    await using server = await replayModel(sse(...messages, ...finished('tool_calls')));
    const { tools, end } = await publish(server);
    expect(tools).toEqual(expected);
    expect(end).toMatchObject({ status: 'SUCCESS' });
  });

  test.each(FAILURES)('%s ends the run as FAILED', async (_, replay, message) => {
    await using server = await replayModel(replay);
    const { text, end } = await publish(server);
    expect(end).toMatchObject({ status: 'FAILED', message: expect.stringContaining(message) });
    expect(text).toBe(replay.status ? '' : 'Hello');
  });

  test('usage in the form of Groq is published', async () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    await using server = await replayModel(
      sse({ ...chunk({ content: 'x' }, 'stop'), x_groq: { usage } }, DONE),
    );
    expect((await publish(server)).end).toMatchObject({ usage: { totalTokens: 3 } });
  });

  test('tool calls with a finish_reason each are all published', async () => {
    const calls = [
      called({ ...named, args: oslo }, 'tool_calls'),
      called({ ...named, args: rome }, 'tool_calls'),
    ];
    await using server = await replayModel(sse(...calls, DONE));
    expect((await publish(server)).tools).toEqual([start('call-1'), start('call-2', { city: 'Rome' })]);
  });

  test('tool calls that follow the finish_reason are published', async () => {
    await using server = await replayModel(
      sse(chunk({}, 'tool_calls'), called({ ...named, args: oslo }), DONE),
    );
    expect((await publish(server)).tools).toEqual([start('call-1')]);
  });

  test('calls without ids, or with the same ids, in two requests on one run are different calls', async () => {
    const parts = [
      called({ ...named, args: oslo }),
      called({ index: 1, id: 'a', name: 'weather', args: rome }),
    ];
    await using server = await replayModel(sse(...parts, ...finished('tool_calls')));
    const openai = await createOpenAi(version, server);
    const { tools, end } = await outcomeOf((run) =>
      completeWith(run, async () => {
        const request = async () => publishOpenAiChat(run, await openai.chat.completions.create(CHAT));
        await request();
        const { toolCalls } = await request();
        expect(toolCalls.map(({ toolCallId }) => toolCallId)).toEqual(['call-2', 'a-2']);
      }),
    );
    expect(tools.map(({ toolCallId }) => toolCallId)).toEqual(['call-1', 'a', 'call-2', 'a-2']);
    expect(end).toMatchObject({ usage: { totalTokens: 34 } });
  });
});
