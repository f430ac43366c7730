// The adapter for OpenAI's responses: recorded streams.
import { describe, expect, test } from 'vitest';
import { completeWith, publishOpenAiResponse } from '../../../src/worker.ts';
import { beginRun, recorded } from './run.ts';

describe('publishOpenAiResponse', () => {
  test('publishOpenAiResponse publishes text, function calls, hosted tools, and usage', async () => {
    const { run, readStream } = await beginRun();
    const item = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'weather' };
    await completeWith(
      run,
      publishOpenAiResponse(
        run,
        recorded<{ type: string }>(
          { type: 'response.created', response: { model: 'gpt-x', status: 'in_progress' } } as never,
          {
            type: 'response.output_item.added',
            output_index: 0,
            item: { type: 'web_search_call', id: 'ws_1', status: 'in_progress' },
          } as never,
          {
            type: 'response.output_item.done',
            output_index: 0,
            item: { type: 'web_search_call', id: 'ws_1', status: 'completed' },
          } as never,
          {
            type: 'response.output_item.done',
            output_index: 1,
            item: { type: 'mcp_call', id: 'mcp_1', name: 'roll', error: 'no dice' },
          } as never,
          { type: 'response.output_text.delta', output_index: 2, content_index: 0, delta: 'Hel' } as never,
          { type: 'response.output_text.delta', output_index: 2, content_index: 0, delta: 'lo' } as never,
          { type: 'response.output_text.done', output_index: 2, text: 'Hello' } as never,
          { type: 'response.output_item.added', output_index: 3, item: { ...item, arguments: '' } } as never,
          {
            type: 'response.function_call_arguments.delta',
            output_index: 3,
            delta: '{"city":"Oslo"}',
          } as never,
          {
            type: 'response.output_item.done',
            output_index: 3,
            item: { ...item, arguments: '{"city":"Oslo"}' },
          } as never,
          {
            type: 'response.completed',
            response: {
              model: 'gpt-x',
              status: 'completed',
              usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
            },
          } as never,
        ),
      ),
    );
    const { text, tools, end } = await readStream();
    expect(text).toBe('Hello');
    expect(tools).toEqual([
      { toolCallId: 'ws_1', toolName: 'web_search', status: 'started' },
      { toolCallId: 'ws_1', toolName: 'web_search', status: 'succeeded' },
      { toolCallId: 'mcp_1', toolName: 'roll', status: 'started' },
      { toolCallId: 'mcp_1', toolName: 'roll', status: 'failed', error: 'no dice' },
      { toolCallId: 'call_1', toolName: 'weather', status: 'started', args: { city: 'Oslo' } },
    ]);
    expect(end).toMatchObject({ result: 'Hello', usage: { totalTokens: 7, model: 'gpt-x' } });
  });

  test.each([
    [
      { type: 'response.failed', response: { error: { code: 'server_error', message: 'it broke' } } },
      'it broke',
    ],
    [{ type: 'error', code: 'rate', message: 'slow down' }, 'slow down'],
    [{ type: 'response.in_progress' }, 'ended before'],
  ])('rejects on %j', async (event, message) => {
    const { run } = await beginRun();
    await expect(publishOpenAiResponse(run, recorded(event))).rejects.toThrow(message);
  });
});
