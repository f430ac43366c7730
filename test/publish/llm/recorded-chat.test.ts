// The adapter for OpenAI's chat completions: recorded streams.
import { describe, expect, test } from 'vitest';
import { completeWith, publishOpenAiChat } from '../../../src/worker.ts';
import { beginRun, recorded } from './run.ts';

describe('publishOpenAiChat', () => {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    model: 'gpt-x',
    choices: [{ index: 0, delta, finish_reason }],
  });
  const called = (index: number, id: string | undefined, name: string | undefined, args: string) =>
    chunk({
      tool_calls: [
        { index, ...(id && { id, type: 'function' }), function: { ...(name && { name }), arguments: args } },
      ],
    });

  test('publishOpenAiChat publishes text, parallel tool calls, and usage from a last chunk without choices', async () => {
    const { run, readStream } = await beginRun();
    const collected = await completeWith(
      run,
      publishOpenAiChat(
        run,
        recorded<object>(
          chunk({ role: 'assistant', content: '' }),
          chunk({ content: 'One ' }),
          chunk({ content: 'moment.' }),
          called(0, 'call_1', 'weather', ''),
          called(0, undefined, undefined, '{"city":'),
          called(1, 'call_2', 'time', '{}'),
          called(0, undefined, undefined, '"Oslo"}'),
          chunk({}, 'tool_calls'),
          {
            model: 'gpt-x',
            choices: [],
            usage: { prompt_tokens: 8, completion_tokens: 9, total_tokens: 17 },
          },
        ),
      ),
    );
    expect(collected).toMatchObject({
      text: 'One moment.',
      finishReason: 'tool_calls',
      usage: { totalTokens: 17 },
    });
    const { text, tools, end } = await readStream();
    expect(text).toBe('One moment.');
    expect(tools).toEqual([
      { toolCallId: 'call_1', toolName: 'weather', status: 'started', args: { city: 'Oslo' } },
      { toolCallId: 'call_2', toolName: 'time', status: 'started', args: {} },
    ]);
    expect(end).toMatchObject({
      usage: { inputTokens: 8, outputTokens: 9, totalTokens: 17, model: 'gpt-x' },
    });
  });

  test.each([
    [
      'an error between the chunks',
      [chunk({ content: 'a' }), { error: { message: 'rate limit', code: 'rate' } }],
      'rate limit',
    ],
    ['an end without a finish_reason', [chunk({ content: 'a' })], 'ended before'],
  ])('publishOpenAiChat rejects on %s', async (_, chunks, message) => {
    const { run, readStream } = await beginRun();
    await expect(completeWith(run, publishOpenAiChat(run, recorded<object>(...chunks)))).rejects.toThrow(
      message,
    );
    expect(await readStream()).toMatchObject({ text: 'a', end: { status: 'FAILED' } });
  });
});
