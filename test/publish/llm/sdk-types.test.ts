// Every type of part, event, item and block that an SDK declares is either published or ignored on purpose. A version
// with a new one fails here: handle it in the adapter, or add it to the ignored types.
import { describe, expect, test } from 'vitest';
import type { Usage } from '../../../src/event/events.ts';
import {
  completeWith,
  publishAnthropic,
  publishFullStream,
  publishOpenAiResponse,
} from '../../../src/worker.ts';
import { describeModelSdks, readSdkFile } from '../../support/model-sdks.ts';
import { AI_SDK_VERSIONS } from './ai-sdk.ts';
import { literalsOf, typesOf } from './declarations.ts';
import { AI_SDK, BLOCKS, DELTAS, ITEMS, type Known, MESSAGES, RESPONSES } from './known-types.ts';
import { OPENAI_VERSIONS } from './openai.ts';
import { outcomeOf, recorded } from './run.ts';

/** Types of an SDK that neither list has. */
function unknownOf(types: readonly string[], { handled, ignored }: Known): string[] {
  // Guards against declarations that could not be read.
  expect(types.length).toBeGreaterThan(1);
  return types.filter((type) => !handled.includes(type) && !ignored.includes(type));
}

describeModelSdks('the declarations of the SDKs', () => {
  test.each(AI_SDK_VERSIONS)('every part and finish reason of the AI SDK %s is known', (version) => {
    const declarations = readSdkFile(`ai-${version}`, 'dist/index.d.ts');
    expect(unknownOf(typesOf(declarations, 'TextStreamPart'), AI_SDK)).toEqual([]);
    expect(typesOf(declarations, 'ObjectStreamPart')).toEqual(['error', 'finish', 'object', 'text-delta']);
    // Version 5 has them in another package. Only these three mean a failure.
    const reasons = literalsOf(declarations, 'FinishReason');
    const failures = reasons.filter(
      (reason) => !['stop', 'length', 'content-filter', 'tool-calls'].includes(reason),
    );
    const expected = { 5: [], 6: ['error', 'other'], 7: ['error', 'interrupted', 'other'] };
    expect(failures).toEqual(expected[version]);
  });

  test.each(OPENAI_VERSIONS)('every event and item of responses of openai %s is known', (version) => {
    const declarations = readSdkFile(`openai-${version}`, 'resources/responses/responses.d.ts');
    expect(unknownOf(typesOf(declarations, 'ResponseStreamEvent'), RESPONSES)).toEqual([]);
    expect(unknownOf(typesOf(declarations, 'ResponseOutputItem'), ITEMS)).toEqual([]);
  });

  test.each(['0', '1'])('every event, block and delta of @anthropic-ai/sdk %s is known', (version) => {
    for (const [path, prefix] of [
      ['messages/messages', ''],
      ['beta/messages/messages', 'Beta'],
    ]) {
      const declarations = readSdkFile(`anthropic-${version}`, `resources/${path}.d.ts`);
      expect(unknownOf(typesOf(declarations, `${prefix}RawMessageStreamEvent`), MESSAGES)).toEqual([]);
      expect(unknownOf(typesOf(declarations, `${prefix}ContentBlock`), BLOCKS)).toEqual([]);
      expect(unknownOf(typesOf(declarations, `${prefix}RawContentBlockDelta`), DELTAS)).toEqual([]);
    }
  });
});

describe('types', () => {
  const usage: Usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };

  test('parts of the AI SDK that are ignored publish nothing and fail nothing', async () => {
    const parts = AI_SDK.ignored.map((type) => ({ type, id: 'x', text: 'x', delta: 'x', toolCallId: 'x' }));
    const stream = recorded<{ type: string }>(...parts, { type: 'finish', totalUsage: usage } as never);
    const { types } = await outcomeOf((run) => completeWith(run, publishFullStream(run, stream)));
    expect(types).toEqual(['agent_start', 'complete']);
  });

  test('events and items of responses that are ignored publish nothing and fail nothing', async () => {
    const events = RESPONSES.ignored.map((type) => ({ type, delta: 'x', item: {}, response: {} }));
    const items = ITEMS.ignored.flatMap((type) =>
      ['added', 'done'].map((event) => ({ type: `response.output_item.${event}`, item: { type, id: 'x' } })),
    );
    const stream = recorded<{ type: string }>(...events, ...items, { type: 'response.completed' });
    const { types } = await outcomeOf((run) => completeWith(run, publishOpenAiResponse(run, stream)));
    expect(types).toEqual(['agent_start', 'complete']);
  });

  test.each(ITEMS.handled)('an item of the type %s is published', async (type) => {
    // An approval and a list of tools are published if they are negative.
    const negative = { approve: false, approval_request_id: 'a', error: 'unreachable' };
    const item = {
      type,
      id: 'x',
      call_id: 'c',
      name: 'n',
      arguments: '{}',
      ...(/^mcp_(a.*response|l)/.test(type) && negative),
    };
    const done = { type: 'response.output_item.done', item };
    const stream = recorded<{ type: string }>(done, { type: 'response.completed' });
    const { tools } = await outcomeOf((run) => completeWith(run, publishOpenAiResponse(run, stream)));
    expect(tools[0]).toMatchObject({ status: 'started' });
  });

  test('blocks and deltas of Anthropic that are ignored publish nothing and fail nothing', async () => {
    const blocks = BLOCKS.ignored.map((type) => ({
      type: 'content_block_start',
      index: 0,
      content_block: { type },
    }));
    const deltas = DELTAS.ignored.map((type) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type, text: 'x' },
    }));
    const stream = recorded<{ type: string }>(...blocks, ...deltas, { type: 'message_stop' });
    const { types } = await outcomeOf((run) => completeWith(run, publishAnthropic(run, stream)));
    expect(types).toEqual(['agent_start', 'complete']);
  });
});
