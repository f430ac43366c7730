// The adapter for the AI SDK: recorded streams in the formats that its versions document.
import { describe, expect, test } from 'vitest';
import { completeWith, publishFullStream, publishPartialObjects } from '../../../src/worker.ts';
import { beginRun, outcomeOf, recorded } from './run.ts';

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

  test.each([
    ['was aborted', { type: 'abort' }],
    ['gives no total', { type: 'finish', finishReason: 'stop', totalUsage: {} }],
  ])('the usage of a stream that %s is the sum of its steps', async (_, last) => {
    const stream = recorded(...steps.slice(0, -1), last);
    const { end } = await outcomeOf((run) => completeWith(run, publishFullStream(run, stream)));
    expect(end).toMatchObject({ usage: { inputTokens: 30, outputTokens: 7, totalTokens: 37 } });
  });

  test('publishFullStream publishes text, tool calls with their results, and usage, and does not end the run', async () => {
    const { run, readStream } = await beginRun();
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
    const { run, readStream } = await beginRun();
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
    const { run, readStream } = await beginRun();
    await publishFullStream(run, recorded(...steps));
    await publishFullStream(run, recorded(...steps));
    await run.complete();
    expect((await readStream()).end!.usage!.totalTokens).toBe(74);
  });

  test('a tool result that is too large or not JSON is omitted, and the call still ends', async () => {
    const { run, readStream } = await beginRun();
    const call = (id: string) => ({ type: 'tool-call', toolCallId: id, toolName: 't', input: {} });
    const result = (id: string, output: unknown) => ({
      type: 'tool-result',
      toolCallId: id,
      toolName: 't',
      output,
    });
    await publishFullStream(
      run,
      recorded<{ type: string }>(call('a'), result('a', 'x'.repeat(70_000)), call('b'), result('b', 1n), {
        type: 'finish',
      }),
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
    [{ type: 'finish', finishReason: 'error' }, 'the model failed', 'FAILED'],
  ])(
    'publishFullStream rejects with the error of the stream (%j), and completeWith ends the run with it',
    async (part, message, status) => {
      const { run, readStream } = await beginRun();
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

test('a stream is read to its end although its run has ended', async () => {
  const { run } = await beginRun();
  await run.complete('elsewhere');
  const parts = recorded<{ type: string }>({ type: 'text-delta', text: 'x' } as never, { type: 'finish' });
  expect(await publishFullStream(run, parts)).toMatchObject({ text: 'x' });
});

test('an object whose stream ended without a finish part is not complete', async () => {
  const { run, readStream } = await beginRun({ mode: 'STRUCTURED' });
  const part: { type: string } = { type: 'object', object: { a: 1 } } as never;
  const result = { fullStream: recorded(part), object: Promise.resolve({ a: 1 }) };
  await expect(completeWith(run, publishPartialObjects(run, result))).rejects.toThrow('before its finish');
  expect(await readStream()).toMatchObject({ value: { a: 1 }, end: { status: 'FAILED' } });
});
