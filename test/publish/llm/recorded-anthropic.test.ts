// The adapter for Anthropic's messages: recorded streams.
import { describe, expect, test } from 'vitest';
import { completeWith, publishAnthropic } from '../../../src/worker.ts';
import { beginRun, recorded } from './run.ts';

describe('publishAnthropic', () => {
  const start = {
    type: 'message_start',
    message: { model: 'claude-x', usage: { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 1 } },
  };
  const block = (index: number, content_block: object) => ({
    type: 'content_block_start',
    index,
    content_block,
  });
  const delta = (index: number, of: object) => ({ type: 'content_block_delta', index, delta: of });
  const stop = (index: number) => ({ type: 'content_block_stop', index });

  test('publishAnthropic publishes text, tool input, tools of the provider and usage, but no thinking', async () => {
    const { run, readStream } = await beginRun();
    const collected = await completeWith(
      run,
      publishAnthropic(
        run,
        recorded<{ type: string }>(
          start,
          block(0, { type: 'thinking', thinking: '' }),
          delta(0, { type: 'thinking_delta', thinking: 'hm' }),
          stop(0),
          block(1, { type: 'text', text: '' }),
          { type: 'ping' },
          delta(1, { type: 'text_delta', text: 'I will ' }),
          delta(1, { type: 'text_delta', text: 'look.' }),
          stop(1),
          block(2, { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: {} }),
          delta(2, { type: 'input_json_delta', partial_json: '{"query":' }),
          delta(2, { type: 'input_json_delta', partial_json: '"x"}' }),
          stop(2),
          block(3, {
            type: 'web_search_tool_result',
            tool_use_id: 'srv_1',
            content: { type: 'web_search_tool_result_error', error_code: 'max_uses_exceeded' },
          }),
          stop(3),
          block(4, { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }),
          delta(4, { type: 'input_json_delta', partial_json: '' }),
          stop(4),
          {
            type: 'message_delta',
            delta: { stop_reason: 'tool_use' },
            usage: { output_tokens: 20 },
          } as never,
          { type: 'message_stop' },
        ),
      ),
    );
    expect(collected).toMatchObject({ text: 'I will look.', finishReason: 'tool_use' });
    const { text, tools, end } = await readStream();
    expect(text).toBe('I will look.');
    expect(tools).toEqual([
      { toolCallId: 'srv_1', toolName: 'web_search', status: 'started', args: { query: 'x' } },
      { toolCallId: 'srv_1', toolName: 'web_search', status: 'failed', error: 'max_uses_exceeded' },
      { toolCallId: 'toolu_1', toolName: 'weather', status: 'started', args: {} },
    ]);
    expect(end).toMatchObject({
      usage: { inputTokens: 15, outputTokens: 20, totalTokens: 35, model: 'claude-x' },
    });
  });

  test.each([
    [{ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'Overloaded'],
    [{ type: 'ping' }, 'ended before'],
  ])('publishAnthropic rejects on %j, after publishing the text before it', async (event, message) => {
    const { run, readStream } = await beginRun();
    const events = recorded<{ type: string }>(start, delta(0, { type: 'text_delta', text: 'a' }), event);
    await expect(completeWith(run, publishAnthropic(run, events))).rejects.toThrow(message);
    expect(await readStream()).toMatchObject({ text: 'a', end: { status: 'FAILED' } });
  });
});
