// What the items of a Workflow Stream become, without a server.
import { expect, test } from 'vitest';
import type { JsonValue } from '../../../../src/event/events.ts';
import { DEFAULT_SIZE_LIMITS } from '../../../../src/event/size-limits.ts';
import type { UnnumberedEvent } from '../../../../src/temporal/source/unnumbered-event.ts';
import { createItemEvents } from '../../../../src/temporal/source/workflow-streams/item-events.ts';

type Event = Omit<UnnumberedEvent, 'data'> & { readonly data: Record<string, unknown> };

const itemOf = (value: unknown, topic = 't') => ({ topic, value: value as JsonValue, key: '' });
const mapperOf = () => createItemEvents(DEFAULT_SIZE_LIMITS);

/** The events of items that are published one by one, without the text that is held back. */
async function mapEach(values: readonly unknown[], mapper = mapperOf()): Promise<Event[]> {
  const events: Event[] = [];
  for (const value of values) events.push(...((await mapper.map([itemOf(value)])) as Event[]));
  return events;
}

const text = (content: string, topic = 't') => ({ type: 'llm_chunk', data: { content, topic } });
const custom = (value: unknown, name = 't') => ({ type: 'custom', data: { name, value } });
const delta = (content: string) => ({ type: 'text-delta', id: '0', delta: content });

/** What a model of the AI SDK emits, as `@temporalio/ai-sdk` publishes it. */
const START = { type: 'stream-start', warnings: [] };
const FINISH = {
  type: 'finish',
  finishReason: { unified: 'stop', raw: 'stop' },
  usage: { inputTokens: { total: 3, noCache: 3 }, outputTokens: { total: 5, text: 5 } },
};
const usage = (inputTokens: number, outputTokens: number, model?: string) => ({
  type: 'workflow_status',
  data: {
    status: 'RUNNING',
    usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, ...(model && { model }) },
  },
});

test('the stream of a model of the AI SDK becomes text, tool calls and usage; its frame is not shown', async () => {
  const call = { type: 'tool-call', toolCallId: 'c1', toolName: 'weather', input: '{"city":"Oslo"}' };
  const events = await mapEach([
    START,
    { type: 'response-metadata', id: 'r', modelId: 'gpt' },
    { type: 'text-start', id: '0' },
    delta('It '),
    delta('rains.'),
    { type: 'text-end', id: '0' },
    { type: 'tool-input-start', id: 'c1', toolName: 'weather' },
    { type: 'tool-input-delta', id: 'c1', delta: '{"city"' },
    { type: 'tool-input-end', id: 'c1' },
    call,
    { type: 'tool-result', toolCallId: 'c1', toolName: 'weather', result: { rain: true } },
    FINISH,
  ]);
  const called = { toolCallId: 'c1', toolName: 'weather' };
  expect(events).toEqual([
    text('It '),
    text('rains.'),
    { type: 'tool_call', data: { ...called, args: { city: 'Oslo' }, status: 'started' } },
    { type: 'tool_call', data: { ...called, status: 'succeeded', result: { rain: true } } },
    usage(3, 5, 'gpt'),
  ]);
});

test('texts that are published together are one event', async () => {
  const parts = [delta('a'), delta('b'), { other: 1 }, delta('c')].map((value) => itemOf(value));
  expect(await mapperOf().map(parts)).toEqual([text('ab'), custom({ other: 1 }), text('c')]);
});

test('a long text is split into events that fit', async () => {
  const content = 'x'.repeat(70_000);
  const mapper = mapperOf();
  const events = [...(await mapEach([delta(content)], mapper)), ...(mapper.end() as Event[])];
  expect(events.length).toBeGreaterThan(2);
  expect(events.map(({ data }) => data.content).join('') === content).toBe(true);
});

test('what models emit beside text and tool calls is shown as it is', async () => {
  const reasoning = { type: 'reasoning-delta', id: '1', delta: 'hm' };
  const source = { type: 'source', sourceType: 'url', id: 's', url: 'https://example.com' };
  const events = await mapEach([START, { type: 'reasoning-start', id: '1' }, reasoning, source, FINISH]);
  expect(events).toEqual([custom(reasoning), custom(source), usage(3, 5)]);
});

test('the parts of `fullStream` and of UI messages are known, too', async () => {
  const ended = (status: string, rest: object) => ({
    type: 'tool_call',
    data: expect.objectContaining({ status, ...rest }),
  });
  expect(
    await mapEach([
      { type: 'text-delta', text: 'five. ', id: '0' },
      { type: 'text-delta', textDelta: 'four. ' },
      { type: 'tool-input-available', toolCallId: 'u', toolName: 'n', input: { a: 1 } },
      { type: 'tool-output-available', toolCallId: 'u', output: 1 },
      { type: 'tool-call', toolCallId: 'v', toolName: 'n', input: {} },
      { type: 'tool-output-error', toolCallId: 'v', errorText: 'broken' },
      { type: 'tool-call', toolCallId: 'w', toolName: 'n', input: 'not json' },
      { type: 'tool-result', toolCallId: 'w', toolName: 'n', result: 'failed', isError: true },
    ]),
  ).toEqual([
    text('five. '),
    text('four. '),
    ended('started', { args: { a: 1 } }),
    ended('succeeded', { result: 1 }),
    ended('started', { args: {} }),
    ended('failed', { error: 'broken' }),
    ended('started', { args: 'not json' }),
    ended('failed', { error: 'failed' }),
  ]);
});

test('no duration is measured, because another server would measure another one', async () => {
  const call = { type: 'tool-call', toolCallId: 'c', toolName: 'n', input: '{}' };
  const events = await mapEach([call, { type: 'tool-result', toolCallId: 'c', toolName: 'n', result: 1 }]);
  for (const { data } of events) expect(data).not.toHaveProperty('durationMs');
});

test('the stream of a response of OpenAI becomes text, tool calls and usage', async () => {
  const response = { id: 'r', model: 'gpt-5', status: 'in_progress' };
  const item = {
    id: 'fc',
    type: 'function_call',
    call_id: 'c',
    name: 'weather',
    arguments: '{"city":"Oslo"}',
  };
  const reasoning = { type: 'response.reasoning_summary_text.delta', output_index: 0, delta: 'hm' };
  const events = await mapEach([
    { type: 'response.created', response, sequence_number: 0 },
    { type: 'response.in_progress', response, sequence_number: 1 },
    reasoning,
    { type: 'response.output_text.delta', output_index: 0, item_id: 'm', delta: 'Hel' },
    {
      type: 'raw_response_event',
      data: { type: 'response.output_text.delta', output_index: 0, delta: 'lo' },
    },
    { type: 'response.function_call_arguments.delta', output_index: 1, delta: '{' },
    { type: 'response.output_item.done', output_index: 1, item },
    {
      type: 'response.completed',
      response: {
        ...response,
        status: 'completed',
        usage: { input_tokens: 2, output_tokens: 4, total_tokens: 6 },
      },
    },
  ]);
  const call = { toolCallId: 'c', toolName: 'weather', args: { city: 'Oslo' }, status: 'started' };
  expect(events).toEqual([
    custom(reasoning),
    text('Hel'),
    text('lo'),
    { type: 'tool_call', data: call },
    usage(2, 4, 'gpt-5'),
  ]);
});

test('a response that fails is a warning', async () => {
  const failed = {
    type: 'response.failed',
    response: { error: { code: 'server_error', message: 'overloaded' } },
  };
  expect(await mapEach([failed])).toEqual([
    { type: 'warning', data: { code: 'STREAM_FAILED', message: 't: overloaded' } },
  ]);
  const mapper = mapperOf();
  expect(await mapEach([START, { type: 'error', error: 'no quota' }, FINISH], mapper)).toEqual([
    { type: 'warning', data: { code: 'STREAM_FAILED', message: 't: no quota' } },
    usage(3, 5),
  ]);
});

test('a stream that starts again before it has finished is announced', async () => {
  const events = await mapEach([START, delta('ab'), START, delta('abc'), FINISH, START, delta('next')]);
  const message = 't: the stream of a model was not finished, and another one starts';
  expect(events).toEqual([
    text('ab'),
    { type: 'warning', data: { code: 'STREAM_RESTARTED', message } },
    text('abc'),
    usage(3, 5),
    text('next'),
  ]);
});

test('topics are separate streams, and usage is their sum', async () => {
  const mapper = mapperOf();
  const items = [
    [START, 'a'],
    [START, 'b'],
    [delta('1'), 'a'],
    [delta('2'), 'b'],
    [FINISH, 'a'],
    [delta('3'), 'b'],
    [FINISH, 'b'],
  ].map(([value, topic]) => itemOf(value, topic as string));
  expect(await mapper.map(items)).toEqual([
    text('1', 'a'),
    text('2', 'b'),
    usage(3, 5),
    text('3', 'b'),
    usage(6, 10),
  ]);
});

test('two calls with one id are two calls', async () => {
  const mapper = mapperOf();
  const call = { type: 'tool-call', toolCallId: 'c', toolName: 'n', input: '{}' };
  const events = await mapper.map([itemOf(call, 'a'), itemOf(call, 'b')]);
  expect(events.map(({ data }) => (data as { toolCallId: string }).toolCallId)).toEqual(['c', 'c-2']);
});

test('partial objects become a value, which is the last object of any topic', async () => {
  const mapper = mapperOf();
  const patches = (events: readonly { data: unknown }[]) =>
    events.map(({ data }) => (data as { patch: unknown }).patch);
  const object = (value: object) => ({ type: 'object', object: value });
  expect(
    patches(
      await mapEach(
        [object({ a: 1 }), { type: 'text-delta', textDelta: '{"a"' }, object({ a: 1, b: [2] })],
        mapper,
      ),
    ),
  ).toEqual([[{ op: 'replace', path: '', value: { a: 1 } }], [{ op: 'add', path: '/b', value: [2] }]]);
  expect(patches(await mapper.map([itemOf(object({ a: 1 }), 'other')]))).toEqual([
    [{ op: 'remove', path: '/b' }],
  ]);
});

test.each([
  'text',
  7,
  null,
  [1],
  { type: 'finish' },
  { type: 'error', error: 'x' },
  { type: 'start' },
  { type: 'text-delta' },
  { type: 'tool-call', name: 'x' },
  { type: 'object', object: 'x' },
  { type: 'object', object: {}, orderId: 1 },
  { type: 'response.sent', id: 4 },
  { type: 'reasoning-delta', delta: 'x' },
  { state: 'started' },
])('an item of the application is custom: %j', async (value) => {
  expect(await mapEach([value])).toEqual([custom(value)]);
});

test('an item of the application between the parts of a stream is custom', async () => {
  const own = { type: 'progress', done: 1 };
  expect(await mapEach([START, delta('a'), own, delta('b')])).toEqual([text('a'), custom(own), text('b')]);
});

const KEY = `sk-ant-api03-${'A1b2C3d4'.repeat(11)}`;

test('secrets are redacted in texts, also between two parts, and in tool calls, values and custom events', async () => {
  const mapper = mapperOf();
  const events = [
    ...(await mapEach([START, delta(`key ${KEY.slice(0, 9)}`), delta(`${KEY.slice(9)} end`)], mapper)),
    ...(await mapEach([{ type: 'tool-call', toolCallId: 'c', toolName: 'n', input: { key: KEY } }], mapper)),
    ...(await mapEach([{ type: 'object', object: { key: KEY } }, { mine: KEY }, FINISH], mapper)),
  ];
  expect(JSON.stringify(events)).not.toContain('A1b2C3d4A1b2C3d4');
  expect(
    events
      .filter(({ type }) => type === 'llm_chunk')
      .map(({ data }) => data.content)
      .join(''),
  ).toMatch(/^key .* end$/s);
});

test('text that may be the start of a secret is shown when the stream finishes, or the run closes', async () => {
  const all = (events: readonly { type: string; data: unknown }[]) =>
    events.map(({ data }) => (data as { content?: string }).content ?? '').join('');
  expect(all(await mapEach([START, delta('it is sk-'), FINISH]))).toBe('it is sk-');
  const mapper = mapperOf();
  const shown = all(await mapEach([START, delta('it is sk-')], mapper));
  expect(shown).not.toContain('sk-');
  expect(shown + all(mapper.end())).toBe('it is sk-');
});

test('a value that is too large is omitted with its size, and one that cannot be split is left out', async () => {
  const [event] = await mapEach([{ big: 'x'.repeat(100_000) }]);
  expect(event).toEqual({ type: 'custom', data: { name: 't', valueOmitted: true, valueBytes: 100_010 } });
  const events = await mapEach([{ type: 'object', object: { big: 'x'.repeat(100_000) } }]);
  expect(events).toMatchObject([{ type: 'warning', data: { code: 'EVENT_TOO_LARGE' } }]);
});

test('the name of a long topic is truncated', async () => {
  const [event] = await mapperOf().map([itemOf(1, 'n'.repeat(5_000))]);
  expect((event!.data as { name: string }).name.length).toBeLessThan(210);
});
