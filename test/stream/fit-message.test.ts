// No message exceeds the limit, whatever the event and the selection (PROTOCOL.md, "Size limits").
import fc from 'fast-check';
import { type ExecutionArgs, type GraphQLObjectType, getNamedType, isLeafType, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import {
  type EventData,
  type EventType,
  type ExecutionEvent,
  type JsonValue,
  timestamp,
} from '../../src/event/events.ts';
import { splitPatch } from '../../src/event/json-diff.ts';
import { fitData } from '../../src/event/omit-fields.ts';
import { DEFAULT_SIZE_LIMITS, sizeLimitsOf } from '../../src/event/size-limits.ts';
import { initialState, reduce } from '../../src/event/state.ts';
import { completeData, endSummary, errorData } from '../../src/event/terminal-event.ts';
import { splitText } from '../../src/event/text.ts';
import { createEventExecutors } from '../../src/graphql/event-executor.ts';
import { MULTIPART_ENCODING } from '../../src/graphql/multipart-encoder.ts';
import { GRAPHQL_ENCODING } from '../../src/graphql/subscription-encoder.ts';
import { PLAIN_SSE } from '../../src/rest/plain-sse-encoder.ts';
import { schema } from '../../src/schema/index.ts';
import type { Frame } from '../../src/sse/frame.ts';
import { SharedEncoding } from '../../src/stream/shared-encoding.ts';
import { EventRing } from '../../src/tail/event-ring.ts';
import { propertyRuns } from '../support/property-runs.ts';

const sizes = DEFAULT_SIZE_LIMITS;
const executorOf = createEventExecutors();

function eventOf<T extends EventType>(type: T, data: EventData[T]): ExecutionEvent {
  const envelope = { id: '9007199254740991-abcdefghij123456', seq: 2 ** 31 - 1, attempt: 2 ** 31 - 1 };
  return { ...envelope, executionId: 'e'.repeat(200), ts: timestamp(), type, data } as ExecutionEvent;
}

const INTERFACE = ['id', 'seq', 'type', 'ts', 'executionId', 'attempt', 'data'];

/** Every field of every event type, typed and in `data`, each under an alias. */
const EVERYTHING = `id seq type ts executionId attempt alias_of_data: data __typename ${schema
  .getPossibleTypes(schema.getType('ExecutionEvent') as never)
  .map((type) => `... on ${type.name} { ${typedFields(type)} }`)
  .join(' ')}`;

function typedFields(type: GraphQLObjectType): string {
  const own = Object.values(type.getFields()).filter(({ name }) => !INTERFACE.includes(name));
  return own
    .map(({ name, type: field }) => {
      const nested = getNamedType(field);
      const selection = isLeafType(nested) ? '' : ` { ${typedFields(nested as GraphQLObjectType)} }`;
      return `${type.name}_${name}: ${name}${selection}`;
    })
    .join(' ');
}

const SELECTIONS = [
  'data',
  'type data',
  EVERYTHING,
  `... on LlmChunkEvent { content data } ... on ToolCallEvent { args result data } ... on CompleteEvent { result data }`,
];

function argsOf(selection: string): ExecutionArgs {
  return { schema, document: parse(`subscription { stream: agentStream(id: "a1") { ${selection} } }`) };
}

/** The frames of an event in every encoding, and its results. */
function* messagesOf(event: ExecutionEvent, limits = sizes): Generator<Frame | { readonly length: number }> {
  const newEncoding = (selection: string) =>
    new SharedEncoding(
      { ring: new EventRing() },
      executorOf(argsOf(selection)),
      { executions: 0 },
      '',
      limits,
    );
  for (const selection of SELECTIONS) {
    const encoding = newEncoding(selection);
    yield encoding.frame(event, GRAPHQL_ENCODING);
    const multipart = newEncoding(selection);
    yield multipart.frame(event, MULTIPART_ENCODING);
    yield { length: Buffer.byteLength(JSON.stringify(encoding.result(event))) };
  }
  for (const encoder of Object.values(PLAIN_SSE)) yield newEncoding('type data').frame(event, encoder);
}

/** Texts of up to 100,000 code units that are as large as possible in one encoding or another. */
const largeText = fc
  .tuple(
    fc.constantFrom(
      'a',
      '\n',
      '\r',
      '\r\n',
      '\n\r',
      '\0',
      '"',
      '漢',
      '😀',
      '\ud83d',
      '\udc00',
      'é\n',
      '\u2028',
    ),
    fc.integer({ min: 0, max: 100_000 }),
    fc.string({ unit: 'binary', maxLength: 50 }),
  )
  .map(([unit, count, end]) => unit.repeat(Math.floor(count / unit.length)) + end);

const largeJson: fc.Arbitrary<JsonValue> = fc.oneof(
  largeText,
  fc.array(largeText, { maxLength: 3 }),
  fc.dictionary(fc.string({ maxLength: 5 }), largeText, { maxKeys: 3, noNullPrototype: true }),
);

const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3, model: 'm'.repeat(8_000), costUsd: 0.25 };
const call = { toolCallId: 'c', toolName: 'n', status: 'succeeded' } as const;

/** Events as publishers and servers create them. */
const published: fc.Arbitrary<ExecutionEvent[]> = fc.oneof(
  largeText.map((text) => splitText(text).map((content) => eventOf('llm_chunk', { content }))),
  fc.array(largeText, { maxLength: 4 }).map((texts) => {
    // A string cannot be split.
    const value = texts.map((text) => text.slice(0, 4_000));
    const patches = splitPatch([{ op: 'replace', path: '', value }]);
    return patches.map((patch) => eventOf('structured_delta', { patch }));
  }),
  fc
    .record({ args: largeJson, result: largeJson }, { requiredKeys: [] })
    .map((fields) => [eventOf('tool_call', fitData('tool_call', { ...call, ...fields }, sizes))]),
  largeJson.map((result) => [eventOf('complete', completeData(result, endSummary(usage, 1)))]),
  largeText.map((message) => [
    eventOf('error', errorData('FAILED', { message, code: message }, endSummary(usage, 1))),
  ]),
);

/** Events of other writers: of any size. */
const foreign: fc.Arbitrary<ExecutionEvent> = fc.oneof(
  largeText.map((content) => eventOf('llm_chunk', { content })),
  largeJson.map((value) => eventOf('structured_delta', { patch: [{ op: 'add', path: '', value }] })),
  largeText.map((error) => eventOf('tool_call', { ...call, args: error, result: [error], error })),
  largeText.map((text) => eventOf('gap', { fromSeq: 1, toSeq: 2, text })),
  largeJson.map((value) => eventOf('gap', { fromSeq: 1, toSeq: 2, value })),
  largeText.map((message) => eventOf('warning', { code: message, message })),
  largeText.map((model) =>
    eventOf('complete', { status: 'SUCCESS', result: model, durationMs: 1, usage: { ...usage, model } }),
  ),
  largeText.map((message) =>
    eventOf('error', { status: 'FAILED', message, code: message, durationMs: 1, usage }),
  ),
);

describe('no message exceeds the limit', () => {
  test('of events as publishers create them, for any selection and encoding', () => {
    fc.assert(
      fc.property(published, (events) => {
        for (const event of events) {
          for (const { length } of messagesOf(event)) expect(length).toBeLessThanOrEqual(sizes.message);
        }
      }),
      { numRuns: propertyRuns(20) },
    );
  });

  test('of events that another writer has appended', () => {
    fc.assert(
      fc.property(foreign, (event) => {
        for (const { length } of messagesOf(event)) expect(length).toBeLessThanOrEqual(sizes.message);
      }),
      { numRuns: propertyRuns(20) },
    );
  });
});

describe('an event that does not fit', () => {
  const dataOf = (event: ExecutionEvent, selection = 'type data', limits = sizes) => {
    const args = argsOf(selection);
    const encoding = new SharedEncoding(
      { ring: new EventRing() },
      executorOf(args),
      { executions: 0 },
      '',
      limits,
    );
    const text = Buffer.from(encoding.frame(event, GRAPHQL_ENCODING).bytes).toString();
    const stream = JSON.parse(text.split('\ndata: ')[1]!).data.stream;
    expect(encoding.result(event)).toEqual({ data: { stream } });
    return stream;
  };

  test('lacks its largest field first', () => {
    const event = eventOf('tool_call', { ...call, args: 'a'.repeat(40_000), result: 'r'.repeat(50_000) });
    expect(dataOf(event).data).toEqual({
      ...call,
      args: 'a'.repeat(40_000),
      resultOmitted: true,
      resultBytes: 50_002,
    });
    expect(dataOf(event, 'data ... on ToolCallEvent { args argsBytes }')).toEqual({
      args: null,
      argsBytes: 40_002,
      data: { ...call, argsOmitted: true, argsBytes: 40_002, resultOmitted: true, resultBytes: 50_002 },
    });
  });

  test('is complete for a selection that contains the field once', () => {
    const result = 'r'.repeat(50_000);
    const event = eventOf('complete', { status: 'SUCCESS', result, durationMs: 1 });
    expect(dataOf(event, '... on CompleteEvent { result }')).toEqual({ result });
    expect(dataOf(event, '... on CompleteEvent { result } data')).toEqual({
      result: null,
      data: { status: 'SUCCESS', durationMs: 1, resultOmitted: true, resultBytes: 50_002 },
    });
  });

  test('is complete within a raised limit', () => {
    const event = eventOf('tool_call', { ...call, result: 'r'.repeat(200_000) });
    const limits = sizeLimitsOf(500_000);
    expect(dataOf(event, 'data ... on ToolCallEvent { result }', limits).data).toEqual(event.data);
  });

  test('leaves the text partial if it is a gap', () => {
    const gap = eventOf('gap', { fromSeq: 1, toSeq: 2, text: 't'.repeat(100_000) });
    const { data } = dataOf(gap);
    expect(data).toEqual({ fromSeq: 1, toSeq: 2, textOmitted: true, textBytes: 100_002 });
    const state = reduce(initialState('agent', 'TEXT'), { ...gap, data } as ExecutionEvent);
    expect(state).toMatchObject({ text: '', completeness: 'partial' });
  });

  test('becomes a gap over its seq alone if it has no fields that can be omitted', () => {
    const chunk = eventOf('llm_chunk', { content: 'c'.repeat(70_000) });
    const { seq } = chunk;
    expect(dataOf(chunk)).toEqual({ type: 'GAP', data: { fromSeq: seq, toSeq: seq } });
  });

  test('keeps its end', () => {
    const error = eventOf('error', { status: 'FAILED', message: 'm'.repeat(70_000), durationMs: 1 });
    expect(dataOf(error)).toMatchObject({ type: 'ERROR', data: { status: 'FAILED', durationMs: 1 } });
  });
});
