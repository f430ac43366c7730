// The adapters for the AI SDK, with the version among our dependencies and its test model.
import { type LanguageModelUsage, Output, stepCountIs, streamText, tool } from 'ai';
import { convertArrayToReadableStream, MockLanguageModelV3 } from 'ai/test';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { completeWith, publishFullStream, publishPartialObjects } from '../../../src/worker.ts';
import { beginRun } from './run.ts';

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
    const { run, readStream } = await beginRun();
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

  test('publishPartialObjects publishes the usage of streamText beside its partial objects, and is typed', async () => {
    const model = new MockLanguageModelV3({
      doStream: async () => ({
        stream: convertArrayToReadableStream([
          ...said('{"title":"A', ' story","pages":[1', ',2]}'),
          finish('stop', 3, 9),
        ]),
      }),
    });
    const { run, readStream } = await beginRun({ mode: 'STRUCTURED' });
    const schema = z.object({ title: z.string(), pages: z.array(z.number()) });
    const result = streamText({ model, prompt: 'x', output: Output.object({ schema }) });
    const object = await completeWith(run, publishPartialObjects(run, result));
    expect(object satisfies { title: string; pages: number[] }).toEqual({ title: 'A story', pages: [1, 2] });
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
    const { run, readStream } = await beginRun();
    const result = streamText({ model, prompt: 'x', onError: () => {} });
    await expect(completeWith(run, publishFullStream(run, result.fullStream))).rejects.toThrow('overloaded');
    const { text, end } = await readStream();
    expect(text).toBe('Half an ');
    expect(end).toMatchObject({ status: 'FAILED', message: 'overloaded' });
  });
});
