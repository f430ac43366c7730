// The adapters for the AI SDK, with its versions 5 to 7 and its OpenAI provider against a server that replays chat
// completions.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { completeWith, publishFullStream, publishPartialObjects } from '../../../src/worker.ts';
import { describeModelSdks, type Replay, replayModel, sse } from '../../support/model-sdks.ts';
import { AI_SDK_VERSIONS, loadAiSdk } from './ai-sdk.ts';
import { chunk, DONE, said } from './chat-chunks.ts';
import { outcomeOf } from './run.ts';

const schema = z.object({ title: z.string(), pages: z.array(z.number()).default([1]) });
const half: string = sse(chunk({ content: 'Half ' }));
const halfObject = chunk({ content: '{"title":"A' });
const broken = (body: string): Replay => ({ body, end: 'break' });
const hanging = (body: string): Replay => ({ body, end: 'hang' });

/** Errors of providers, which the SDK's streams of text and of partial objects leave out. */
const overloaded = { error: { message: 'overloaded' } };
const FAILURES: [string, (content: object) => string | Replay, RegExp][] = [
  ['an error in its stream', (content) => sse(content, overloaded, DONE), /^overloaded$/],
  ['a stream that ends too early', (content) => sse(content), /the stream ended before|No object generated/],
  ['a connection that breaks', (content) => broken(sse(content)), /Failed to process/],
  [
    'an error instead of a stream',
    () => ({ body: JSON.stringify(overloaded), end: 'complete', status: 400 }),
    /^overloaded$/,
  ],
];

describeModelSdks.each(AI_SDK_VERSIONS)('AI SDK %s', (version) => {
  const load = (server: { url: string }) => loadAiSdk(version, server);
  const output = (ai: { Output: { object(of: object): unknown } }) => ({
    [version === '5' ? 'experimental_output' : 'output']: ai.Output.object({ schema }),
  });

  test('a text ends as SUCCESS with its usage', async () => {
    await using server = await replayModel(sse(...said('Hel', 'lo')));
    const { ai, options } = await load(server);
    const { text, end } = await outcomeOf((run) =>
      completeWith(run, publishFullStream(run, ai.streamText(options).fullStream)),
    );
    expect(text).toBe('Hello');
    const usage = { inputTokens: 8, outputTokens: 9, totalTokens: 17, model: 'gpt-x' };
    expect(end).toMatchObject({ status: 'SUCCESS', result: 'Hello', usage });
  });

  test.each(FAILURES)('%s ends a text as FAILED', async (_, replay, message) => {
    await using server = await replayModel(replay(chunk({ content: 'Half ' })));
    const { ai, options } = await load(server);
    const { text, end, error } = await outcomeOf((run) =>
      completeWith(run, () => publishFullStream(run, ai.streamText(options).fullStream)),
    );
    expect(end).toMatchObject({ status: 'FAILED', message: expect.stringMatching(message) });
    expect(['', 'Half ']).toContain(text);
    expect(error).toBeInstanceOf(Error);
  });

  test.each(FAILURES)(
    '%s ends an object of streamObject, and of streamText, as FAILED',
    async (_, replay, message) => {
      await using server = await replayModel(replay(halfObject));
      const { ai, options } = await load(server);
      for (const stream of [
        () => ai.streamObject({ ...options, schema }),
        () => ai.streamText({ ...options, ...output(ai) }),
      ]) {
        const { value, end } = await outcomeOf(
          (run) => completeWith(run, () => publishPartialObjects(run, stream())),
          { mode: 'STRUCTURED' },
        );
        expect(end).toMatchObject({ status: 'FAILED', message: expect.stringMatching(message) });
        expect([null, { title: 'A' }]).toContainEqual(value);
      }
    },
  );

  test('a complete object is the result as its schema returns it, with usage', async () => {
    await using server = await replayModel(sse(...said('{"title":"A', ' story"}')));
    const { ai, options } = await load(server);
    const object = await outcomeOf(
      (run) => completeWith(run, publishPartialObjects(run, ai.streamObject({ ...options, schema }))),
      { mode: 'STRUCTURED' },
    );
    const result = { title: 'A story', pages: [1] };
    expect(object.end).toMatchObject({ status: 'SUCCESS', result, usage: { totalTokens: 17 } });
    const viaText = await outcomeOf(
      (run) => completeWith(run, publishPartialObjects(run, ai.streamText({ ...options, ...output(ai) }))),
      { mode: 'STRUCTURED' },
    );
    // Version 5 returns what the model wrote.
    const expected = version === '5' ? { title: 'A story' } : result;
    expect(viaText.end).toMatchObject({ status: 'SUCCESS', result: expected, usage: { totalTokens: 17 } });
  });

  test.each([
    ['that was cut at the token limit', [halfObject, chunk({}, 'length'), DONE]],
    ['that does not match its schema', said('{"titel":"A"}')],
  ])('an object %s ends as FAILED', async (title, messages) => {
    await using server = await replayModel(sse(...messages));
    const { ai, options } = await load(server);
    const streams = [() => ai.streamObject({ ...options, schema })];
    // Version 5 does not check the output of streamText.
    if (version !== '5' || title.includes('limit'))
      streams.push(() => ai.streamText({ ...options, ...output(ai) }));
    for (const stream of streams) {
      const { end } = await outcomeOf(
        (run) => completeWith(run, () => publishPartialObjects(run, stream())),
        { mode: 'STRUCTURED' },
      );
      expect(end).toMatchObject({ status: 'FAILED' });
    }
  });

  test('a stream of partial objects or of text is rejected, because it hides the errors of the model', async () => {
    await using server = await replayModel(sse(...said('{"title":"A"}')));
    const { ai, options } = await load(server);
    const { end } = await outcomeOf(
      (run) =>
        completeWith(
          run,
          publishPartialObjects(run, ai.streamObject({ ...options, schema }).partialObjectStream),
        ),
      { mode: 'STRUCTURED' },
    );
    expect(end).toMatchObject({ status: 'FAILED', code: 'BAD_USER_INPUT' });
    const text = await outcomeOf((run) =>
      completeWith(run, publishFullStream(run, ai.streamText(options).textStream)),
    );
    expect(text.end).toMatchObject({ status: 'FAILED', message: 'the stream ended before its finish part' });
  });

  describe('an abort', () => {
    /** Aborts after the first content, or before the request. */
    const abortable = async (start: 'before' | 'after', reason?: unknown) => {
      const abort = new AbortController();
      if (start === 'before') abort.abort(reason);
      async function* aborting(parts: AsyncIterable<{ type: string }>) {
        for await (const part of parts) {
          yield part;
          if (part.type === 'text-delta') abort.abort(reason);
        }
      }
      return { signal: abort.signal, aborting };
    };

    test.each([
      ['before', undefined],
      ['after', undefined],
      ['before', new Error('the user left')],
      ['after', new Error('the user left')],
      ['after', 'stop'],
    ] as const)('%s the first text, with the reason %j, ends it as CANCELED', async (start, reason) => {
      await using server = await replayModel(hanging(half));
      const { ai, options } = await load(server);
      const { signal, aborting } = await abortable(start, reason);
      const { end, text } = await outcomeOf((run) => {
        const stream = () => ai.streamText({ ...options, abortSignal: signal }).fullStream;
        return completeWith(run, () => publishFullStream(run, aborting(stream())), { signal });
      });
      expect(end).toMatchObject({ status: 'CANCELED' });
      expect(text).toBe(start === 'after' ? 'Half ' : '');
    });

    test.each(['before', 'after'] as const)(
      '%s the first text needs no signal to be CANCELED',
      async (start) => {
        await using server = await replayModel(hanging(half));
        const { ai, options } = await load(server);
        const { signal, aborting } = await abortable(start);
        const { end } = await outcomeOf((run) =>
          completeWith(
            run,
            publishFullStream(run, aborting(ai.streamText({ ...options, abortSignal: signal }).fullStream)),
          ),
        );
        expect(end).toMatchObject({ status: 'CANCELED' });
      },
    );

    test.each(['before', 'after'] as const)('%s the first object ends it as CANCELED', async (start) => {
      await using server = await replayModel(hanging(sse(halfObject)));
      const { ai, options } = await load(server);
      const { signal, aborting } = await abortable(start);
      const { end } = await outcomeOf(
        (run) =>
          completeWith(run, () => {
            const result = ai.streamObject({ ...options, schema, abortSignal: signal });
            const { object } = result;
            object.catch(() => {});
            return publishPartialObjects(run, { fullStream: aborting(result.fullStream), object });
          }),
        { mode: 'STRUCTURED' },
      );
      expect(end).toMatchObject({ status: 'CANCELED' });
    });
  });
});
