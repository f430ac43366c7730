// Usage in the shapes in which SDKs and engines report it.
import { describe, expect, test } from 'vitest';
import type { Usage } from '../../src/event/events.ts';
import { MAX_COUNT, parseUsage, usageOf } from '../../src/event/usage.ts';
import { checkEventData } from '../../src/event/validation.ts';

const counts = (
  inputTokens: number,
  outputTokens: number,
  totalTokens = inputTokens + outputTokens,
): Usage => ({
  inputTokens,
  outputTokens,
  totalTokens,
});

describe('usage that is understood', () => {
  test.each<[string, object, Usage]>([
    ['the protocol', counts(1, 2), counts(1, 2)],
    [
      'the protocol with all fields',
      { ...counts(1, 2), model: 'm', costUsd: 0.5 },
      { ...counts(1, 2), model: 'm', costUsd: 0.5 },
    ],
    [
      'OpenAI Chat',
      {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 15,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 1 },
      },
      counts(10, 5),
    ],
    [
      'OpenAI Responses',
      { input_tokens: 10, input_tokens_details: { cached_tokens: 0 }, output_tokens: 5, total_tokens: 15 },
      counts(10, 5),
    ],
    [
      'Anthropic, whose input does not include the cache',
      {
        input_tokens: 3,
        cache_creation_input_tokens: 100,
        cache_read_input_tokens: 1_000,
        output_tokens: 5,
        service_tier: 'standard',
      },
      counts(1_103, 5),
    ],
    [
      'Anthropic with null caches',
      { input_tokens: 3, cache_creation_input_tokens: null, output_tokens: 5 },
      counts(3, 5),
    ],
    ['AI SDK 4', { promptTokens: 10, completionTokens: 5, totalTokens: 15 }, counts(10, 5)],
    [
      'AI SDK 5',
      { inputTokens: 10, outputTokens: undefined, totalTokens: 12, cachedInputTokens: 8 },
      counts(10, 2),
    ],
    [
      'AI SDK 7',
      { inputTokens: { total: 10, noCache: 2, cacheRead: 8 }, outputTokens: { total: 5, text: 5 }, raw: {} },
      counts(10, 5),
    ],
    [
      'Bedrock',
      { inputTokens: 10, outputTokens: 5, totalTokens: 25, cacheReadInputTokens: 10 },
      counts(20, 5),
    ],
    [
      'Gemini',
      { promptTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 20, totalTokenCount: 35 },
      counts(10, 25),
    ],
    [
      'Ollama',
      { model: 'llama', prompt_eval_count: 10, eval_count: 5 },
      { ...counts(10, 5), model: 'llama' },
    ],
    [
      'Cohere',
      { billed_units: { input_tokens: 9 }, tokens: { input_tokens: 10, output_tokens: 5 } },
      counts(10, 5),
    ],
    [
      'OpenRouter',
      { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, cost: 0.25 },
      { ...counts(1, 2), costUsd: 0.25 },
    ],
    ['names in kebab and Pascal case', { 'input-tokens': 1, OutputTokens: 2 }, counts(1, 2)],
    ['an unknown input', { inputTokens: Number.NaN, outputTokens: 5, totalTokens: 15 }, counts(10, 5)],
    ['a total alone', { total_tokens: 15 }, counts(0, 0, 15)],
    ['an output alone', { output_tokens: 15 }, counts(0, 15)],
    ['a cost alone', { costUsd: 2 }, { ...counts(0, 0), costUsd: 2 }],
    ['a count above 32 bits', counts(2 ** 31, 2 ** 40), counts(2 ** 31, 2 ** 40)],
    ['the largest count', counts(MAX_COUNT, 0), counts(MAX_COUNT, 0)],
    [
      'bigints and numerals of a database',
      { inputTokens: 10n, outputTokens: '5', cost_usd: '0.10' },
      { ...counts(10, 5), costUsd: 0.1 },
    ],
    ['a negative zero', { inputTokens: -0, outputTokens: 0 }, counts(0, 0)],
  ])('the usage of %s is read', (_, reported, usage) => {
    expect(parseUsage(reported)).toStrictEqual(usage);
    expect(usageOf(reported)).toStrictEqual(usage);
  });

  test.each([
    [undefined],
    [null],
    [{ inputTokens: undefined, outputTokens: undefined, totalTokens: undefined }],
    [{ promptTokens: Number.NaN, completionTokens: Number.NaN, totalTokens: Number.NaN }],
    [{ prompt_tokens: null, model: 'm' }],
  ])('the usage %j, which has no known count, is ignored', (reported) => {
    expect(parseUsage(reported)).toBeUndefined();
    expect(usageOf(reported)).toBeUndefined();
  });
});

describe('usage that is rejected', () => {
  test.each<[unknown, string]>([
    [
      { ...counts(1, 2), inputTokens: -1 },
      'usage.inputTokens: expected an integer from 0 to 9007199254740991, got -1',
    ],
    [{ prompt_tokens: 1.5 }, 'usage.inputTokens: expected an integer from 0 to 9007199254740991, got 1.5'],
    [
      { output_tokens: Number.POSITIVE_INFINITY },
      'usage.outputTokens: expected an integer from 0 to 9007199254740991, got Infinity',
    ],
    [
      { total_tokens: 2 ** 53 },
      'usage.totalTokens: expected an integer from 0 to 9007199254740991, got 9007199254740992',
    ],
    [
      { inputTokens: MAX_COUNT, outputTokens: 1 },
      'usage.totalTokens: expected an integer from 0 to 9007199254740991, got 9007199254740992',
    ],
    [{ inputTokens: 'many' }, 'usage.inputTokens: expected an integer from 0 to 9007199254740991, got many'],
    [
      { inputTokens: '99999999999999999999' },
      'usage.inputTokens: expected an integer from 0 to 9007199254740991, got 99999999999999999999',
    ],
    [{ inputTokens: true }, 'usage.inputTokens: expected an integer from 0 to 9007199254740991, got true'],
    [{ ...counts(1, 2), costUsd: -1 }, 'usage.costUsd: expected a number from 0, got -1'],
    [
      { ...counts(1, 2), costUsd: { usd: 1 } },
      'usage.costUsd: expected a number from 0, got an object with usd',
    ],
    [{ ...counts(1, 2), model: 7 }, 'usage.model: expected a string, got 7'],
    [
      { tokens: 1 },
      'usage: expected inputTokens, outputTokens and totalTokens, or the usage of a model SDK, got an object with tokens',
    ],
    [
      {},
      'usage: expected inputTokens, outputTokens and totalTokens, or the usage of a model SDK, got an object with no fields',
    ],
    [3, 'usage: expected inputTokens, outputTokens and totalTokens, or the usage of a model SDK, got 3'],
    [
      [1, 2, 3],
      'usage: expected inputTokens, outputTokens and totalTokens, or the usage of a model SDK, got an array',
    ],
  ])('the usage %j is rejected by name', (reported, message) => {
    expect(() => parseUsage(reported)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT', message }));
  });

  test('of stored usage, only what cannot be read is left out', () => {
    expect(usageOf({ ...counts(1, 2), costUsd: -1, model: 7 })).toEqual(counts(1, 2));
    expect(usageOf({ ...counts(1, 2), costUsd: 'free', model: 'm' })).toEqual({
      ...counts(1, 2),
      model: 'm',
    });
    for (const stored of [{ ...counts(1, 2), inputTokens: -1 }, { tokens: 1 }, 'x', [], 3, true]) {
      expect(usageOf(stored)).toBeUndefined();
    }
  });
});

describe('usage in events', () => {
  test.each([
    ['workflow_status', { status: 'RUNNING' }],
    ['complete', { status: 'SUCCESS', durationMs: 1 }],
    ['error', { status: 'FAILED', message: 'm', durationMs: 1 }],
  ] as const)('an event %s from outside has usage in the shape of the protocol', (type, data) => {
    const usage = { prompt_tokens: 2 ** 40, completion_tokens: 1 };
    expect(checkEventData(type, { ...data, usage })).toEqual({ ...data, usage: counts(2 ** 40, 1) });
    expect(checkEventData(type, { ...data, usage: { inputTokens: null } })).toEqual(data);
    expect(() => checkEventData(type, { ...data, usage: { inputTokens: -1 } })).toThrow(
      `${type}: data.usage.inputTokens: expected an integer`,
    );
  });

  test('events without usage in their data reject the field', () => {
    expect(() => checkEventData('warning', { code: 'c', message: 'm', usage: {} })).toThrow(/usage/);
  });
});
