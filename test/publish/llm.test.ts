// The adapters for LLM SDKs: recorded streams in the formats that the SDKs document, and the AI SDK itself with its
// test model.
import { type LanguageModelUsage, Output, stepCountIs, streamText, tool } from 'ai';
import { convertArrayToReadableStream, MockLanguageModelV3 } from 'ai/test';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { BeginRun, ExecutionPublisher } from '../../src/worker.ts';
import {
  completeWith,
  publishAnthropic,
  publishFullStream,
  publishOpenAiChat,
  publishOpenAiResponse,
  publishPartialObjects,
} from '../../src/worker.ts';
import { foldLog } from './fold.ts';
import { createRig } from './rig.ts';

async function* recorded<T>(...parts: T[]): AsyncGenerator<T> {
  for (const part of parts) yield part;
}

async function begin(wanted: Partial<BeginRun> = {}) {
  const { publisher, log } = createRig();
  const run = await publisher.begin({ kind: 'agent', id: 'a1', ...wanted });
  const readStream = async () => {
    const folded = await foldLog(log.real, 'a1');
    const tools = folded.events.flatMap((e) => {
      if (e.type !== 'tool_call') return [];
      const { durationMs: _, ...rest } = e.data;
      return [rest];
    });
    return { ...folded, tools, end: folded.ends[0]?.data };
  };
  return { run, readStream };
}

describe('publishFullStream', () => {
  const steps = [
    { type: 'start' },
    { type: 'reasoning-delta', id: 'r', text: 'not published' },
    { type: 'text-delta', id: '1', text: 'Looking ' },
    { type: 'tool-call', toolCallId: 'c1', toolName: 'weather', input: { city: 'Oslo' } },
    { type: 'tool-call', toolCallId: 'c2', toolName: 'broken', input: {} },
    { type: 'tool-result', toolCallId: 'c1', toolName: 'weather', preliminary: true, output: 'asking' },
    { type: 'tool-result', toolCallId: 'c1', toolName: 'weather', output: { degrees: -3 } },
    { type: 'tool-error', toolCallId: 'c2', toolName: 'broken', error: new Error('no such city') },
    {
      type: 'finish-step',
      response: { modelId: 'm-1' },
      usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 },
    },
    { type: 'text-delta', id: '2', text: 'up.' },
    {
      type: 'finish-step',
      response: { modelId: 'm-1' },
      usage: { inputTokens: 20, outputTokens: 2, totalTokens: 22 },
    },
    {
      type: 'finish',
      finishReason: 'stop',
      totalUsage: { inputTokens: 30, outputTokens: 7, totalTokens: 37 },
    },
  ];

  test('publishFullStream publishes text, tool calls with their results, and usage, and does not end the run', async () => {
    const { run, readStream } = await begin();
    const collected = await publishFullStream(run, recorded(...steps));
    expect(collected).toEqual({
      text: 'Looking up.',
      toolCalls: [
        { toolCallId: 'c1', toolName: 'weather', args: { city: 'Oslo' } },
        { toolCallId: 'c2', toolName: 'broken', args: {} },
      ].map((call) => expect.objectContaining(call)),
      usage: { inputTokens: 30, outputTokens: 7, totalTokens: 37, model: 'm-1' },
      finishReason: 'stop',
    });
    expect(run.state).toBe('open');
    await run.complete();
    const { text, tools, end, types } = await readStream();
    expect(text).toBe('Looking up.');
    expect(types.filter((type, i) => type !== types[i - 1])).toEqual([
      ...['agent_start', 'llm_chunk', 'tool_call', 'llm_chunk', 'complete'],
    ]);
    expect(tools).toEqual([
      { toolCallId: 'c1', toolName: 'weather', status: 'started', args: { city: 'Oslo' } },
      { toolCallId: 'c2', toolName: 'broken', status: 'started', args: {} },
      { toolCallId: 'c1', toolName: 'weather', status: 'succeeded', result: { degrees: -3 } },
      { toolCallId: 'c2', toolName: 'broken', status: 'failed', error: 'no such city' },
    ]);
    expect(end).toMatchObject({ usage: { totalTokens: 37, model: 'm-1' } });
  });

  test('publishFullStream supports the part types of older versions', async () => {
    const { run, readStream } = await begin();
    await publishFullStream(
      run,
      recorded<{ type: string }>(
        { type: 'text-delta', textDelta: 'old' } as never,
        { type: 'tool-call', toolCallId: 'c', toolName: 't', args: { a: 1 } } as never,
        { type: 'tool-result', toolCallId: 'c', toolName: 't', args: {}, result: 2 } as never,
        {
          type: 'finish',
          finishReason: 'stop',
          usage: { promptTokens: 1, completionTokens: 2, totalTokens: NaN },
        } as never,
      ),
    );
    await run.complete();
    const { text, tools, end } = await readStream();
    expect([text, tools[0]!.args, tools[1]!.result]).toEqual(['old', { a: 1 }, 2]);
    expect(end!.usage).toEqual({ inputTokens: 1, outputTokens: 2, totalTokens: 3 });
  });

  test('the usage of several streams on one run is added up', async () => {
    const { run, readStream } = await begin();
    await publishFullStream(run, recorded(...steps));
    await publishFullStream(run, recorded(...steps));
    await run.complete();
    expect((await readStream()).end!.usage!.totalTokens).toBe(74);
  });

  test('a tool result that is too large or not JSON is omitted, and the call still ends', async () => {
    const { run, readStream } = await begin();
    const call = (id: string) => ({ type: 'tool-call', toolCallId: id, toolName: 't', input: {} });
    const result = (id: string, output: unknown) => ({
      type: 'tool-result',
      toolCallId: id,
      toolName: 't',
      output,
    });
    await publishFullStream(
      run,
      recorded<{ type: string }>(call('a'), result('a', 'x'.repeat(70_000)), call('b'), result('b', 1n)),
    );
    await run.complete();
    const { tools, warnings } = await readStream();
    expect(warnings).toEqual([]);
    expect(tools.slice(1)).toEqual([
      { toolCallId: 'a', toolName: 't', status: 'succeeded', resultOmitted: true, resultBytes: 70_002 },
      { toolCallId: 'b', toolName: 't', status: 'started', args: {} },
      { toolCallId: 'b', toolName: 't', status: 'succeeded' },
    ]);
  });

  test.each([
    [{ type: 'error', error: { message: 'overloaded', type: 'overloaded_error' } }, 'overloaded', 'FAILED'],
    [{ type: 'abort', reason: 'the user left' }, 'the user left', 'CANCELED'],
  ])(
    'publishFullStream rejects with the error of the stream (%j), and completeWith ends the run with it',
    async (part, message, status) => {
      const { run, readStream } = await begin();
      const work = completeWith(
        run,
        publishFullStream(run, recorded<{ type: string }>(...steps.slice(0, 3), part)),
      );
      await expect(work).rejects.toThrow(message);
      const { text, end } = await readStream();
      expect(text).toBe('Looking ');
      expect(end).toMatchObject({ status, message });
    },
  );
});

test('publishPartialObjects publishes each partial object, and completeWith completes with the last one', async () => {
  const { run, readStream } = await begin({ mode: 'STRUCTURED' });
  const partials = recorded({}, { title: 'A' }, { title: 'A sto' }, { title: 'A story', pages: [1] });
  expect(await completeWith(run, publishPartialObjects(run, partials))).toEqual({
    title: 'A story',
    pages: [1],
  });
  const { value, end, types } = await readStream();
  expect(value).toEqual({ title: 'A story', pages: [1] });
  expect(end).toMatchObject({ result: value });
  expect(types.filter((type) => type === 'structured_delta')).toHaveLength(4);
});

describe('the AI SDK with its test model', () => {
  const usage = (input: number, output: number) => ({
    inputTokens: { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: output, text: output, reasoning: undefined },
  });
  const finish = (unified: 'stop' | 'tool-calls', input: number, output: number) =>
    ({ type: 'finish', finishReason: { unified, raw: unified }, usage: usage(input, output) }) as const;
  const said = (...deltas: string[]) => [
    { type: 'text-start', id: '1' } as const,
    ...deltas.map((delta) => ({ type: 'text-delta', id: '1', delta }) as const),
    { type: 'text-end', id: '1' } as const,
  ];

  test('publishFullStream publishes text, a tool that succeeds, a tool that fails, and usage', async () => {
    let step = 0;
    const call = (id: string, city: string) =>
      ({ type: 'tool-call', toolCallId: id, toolName: 'weather', input: JSON.stringify({ city }) }) as const;
    const model = new MockLanguageModelV3({
      doStream: async () => ({
        stream: convertArrayToReadableStream(
          step++ === 0
            ? [
                ...said('Let me ', 'look. '),
                call('c1', 'Oslo'),
                call('c2', 'Nowhere'),
                finish('tool-calls', 10, 5),
              ]
            : [...said('It is ', '-3 °C.'), finish('stop', 20, 4)],
        ),
      }),
    });
    const weather = tool({
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => {
        if (city === 'Nowhere') throw new Error('no such city');
        return { degrees: -3 };
      },
    });
    const { run, readStream } = await begin();
    const result = streamText({ model, prompt: 'x', tools: { weather }, stopWhen: stepCountIs(3) });
    const collected = await completeWith(run, publishFullStream(run, result.fullStream));
    const total: LanguageModelUsage = await result.totalUsage;
    expect(collected.usage!.totalTokens).toBe(total.totalTokens);
    const { text, tools, end } = await readStream();
    expect(text).toBe('Let me look. It is -3 °C.');
    expect(end).toMatchObject({
      status: 'SUCCESS',
      result: text,
      usage: { inputTokens: 30, outputTokens: 9, totalTokens: 39 },
    });
    expect(tools.map(({ toolCallId, status }) => `${toolCallId} ${status}`).sort()).toEqual([
      ...['c1 started', 'c1 succeeded', 'c2 failed', 'c2 started'],
    ]);
    expect(tools).toContainEqual({
      toolCallId: 'c2',
      toolName: 'weather',
      status: 'failed',
      error: 'no such city',
    });
  });

  test('publishFullStream publishes tool calls and usage beside partial objects', async () => {
    const model = new MockLanguageModelV3({
      doStream: async () => ({
        stream: convertArrayToReadableStream([
          ...said('{"title":"A', ' story","pages":[1', ',2]}'),
          finish('stop', 3, 9),
        ]),
      }),
    });
    const { run, readStream } = await begin({ mode: 'STRUCTURED' });
    const schema = z.object({ title: z.string(), pages: z.array(z.number()) });
    const result = streamText({ model, prompt: 'x', output: Output.object({ schema }) });
    await completeWith(
      run,
      Promise.all([
        publishPartialObjects(run, result.partialOutputStream),
        publishFullStream(run, result.fullStream),
      ]),
    );
    const { value, end } = await readStream();
    expect(value).toEqual({ title: 'A story', pages: [1, 2] });
    expect(end).toMatchObject({ result: value, usage: { totalTokens: 12 } });
  });

  test('publishFullStream rejects with the error of a model that fails', async () => {
    const model = new MockLanguageModelV3({
      doStream: async () => ({
        stream: convertArrayToReadableStream([
          ...said('Half ', 'an '),
          { type: 'error', error: new Error('overloaded') } as const,
        ]),
      }),
    });
    const { run, readStream } = await begin();
    const result = streamText({ model, prompt: 'x', onError: () => {} });
    await expect(completeWith(run, publishFullStream(run, result.fullStream))).rejects.toThrow('overloaded');
    const { text, end } = await readStream();
    expect(text).toBe('Half an ');
    expect(end).toMatchObject({ status: 'FAILED', message: 'overloaded' });
  });
});

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
    const { run, readStream } = await begin();
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
    const { run, readStream } = await begin();
    await expect(completeWith(run, publishOpenAiChat(run, recorded<object>(...chunks)))).rejects.toThrow(
      message,
    );
    expect(await readStream()).toMatchObject({ text: 'a', end: { status: 'FAILED' } });
  });
});

describe('publishOpenAiResponse', () => {
  test('publishOpenAiResponse publishes text, function calls, hosted tools, and usage', async () => {
    const { run, readStream } = await begin();
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
    const { run } = await begin();
    await expect(publishOpenAiResponse(run, recorded(event))).rejects.toThrow(message);
  });
});

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
    const { run, readStream } = await begin();
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
    const { run, readStream } = await begin();
    const events = recorded<{ type: string }>(start, delta(0, { type: 'text_delta', text: 'a' }), event);
    await expect(completeWith(run, publishAnthropic(run, events))).rejects.toThrow(message);
    expect(await readStream()).toMatchObject({ text: 'a', end: { status: 'FAILED' } });
  });
});

test('a stream is read to its end although its run has ended', async () => {
  const { run } = await begin();
  await run.complete('elsewhere');
  const late: ExecutionPublisher = run;
  expect(
    await publishFullStream(late, recorded<{ type: string }>({ type: 'text-delta', text: 'x' } as never)),
  ).toMatchObject({ text: 'x' });
});
