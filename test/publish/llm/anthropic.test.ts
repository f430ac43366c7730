// The adapter for Anthropic's messages, with its SDK against a server that replays them.
import { expect, test } from 'vitest';
import { completeWith, publishAnthropic } from '../../../src/worker.ts';
import { describeModelSdks, importSdk, type Replay, replayModel, sse } from '../../support/model-sdks.ts';
import { outcomeOf } from './run.ts';

const messageStart = {
  type: 'message_start',
  message: {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'claude-x',
    content: [],
    usage: { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 1 },
  },
};
const finished = (stop_reason: string) => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 20 } },
  { type: 'message_stop' },
];
/** A content block that is sent completely, or with these deltas. */
const block = (index: number, content_block: object, ...deltas: object[]) => [
  { type: 'content_block_start', index, content_block },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
];
const text = (index: number, ...texts: string[]) =>
  block(index, { type: 'text', text: '' }, ...texts.map((each) => ({ type: 'text_delta', text: each })));
const json = (partial_json: string) => ({ type: 'input_json_delta', partial_json });
const input = [json('{"query":'), json('"x"}')];

/** Results of tools that Anthropic runs, and their outcomes. */
const RESULTS: [string, object, object][] = [
  [
    'mcp_tool_result',
    { is_error: false, content: [{ type: 'text', text: '4' }] },
    { status: 'succeeded', result: [{ type: 'text', text: '4' }] },
  ],
  [
    'mcp_tool_result',
    {
      is_error: true,
      content: [
        { type: 'text', text: 'no' },
        { type: 'text', text: 'dice' },
      ],
    },
    { status: 'failed', error: 'no\ndice' },
  ],
  ['mcp_tool_result', { is_error: true, content: 'no dice' }, { status: 'failed', error: 'no dice' }],
  ['mcp_tool_result', { is_error: true, content: [] }, { status: 'failed', error: 'the tool failed' }],
  [
    'web_search_tool_result',
    { content: [{ type: 'web_search_result', url: 'u' }] },
    { status: 'succeeded', result: [{ type: 'web_search_result', url: 'u' }] },
  ],
  ...[
    'web_search',
    'web_fetch',
    'code_execution',
    'bash_code_execution',
    'text_editor_code_execution',
    'tool_search',
    'advisor',
  ].map((name): [string, object, object] => [
    `${name}_tool_result`,
    { content: { type: `${name}_tool_result_error`, error_code: 'unavailable' } },
    { status: 'failed', error: 'unavailable' },
  ]),
  [
    'tool_search_tool_result',
    {
      content: {
        type: 'tool_search_tool_result_error',
        error_code: 'invalid_tool_input',
        error_message: 'bad pattern',
      },
    },
    { status: 'failed', error: 'bad pattern' },
  ],
  [
    'bash_code_execution_tool_result',
    { content: { type: 'bash_code_execution_result', stdout: '2', stderr: '', return_code: 0 } },
    {
      status: 'succeeded',
      result: { type: 'bash_code_execution_result', stdout: '2', stderr: '', return_code: 0 },
    },
  ],
];

describeModelSdks.each(['0', '1'])('messages of @anthropic-ai/sdk %s', (version) => {
  const publish = async (...bodies: (string | Replay)[]) => {
    await using server = await replayModel(...bodies);
    const { default: Anthropic } = await importSdk(`anthropic-${version}`);
    const client = new Anthropic({ apiKey: 'x', baseURL: server.url, maxRetries: 0 });
    return await outcomeOf((run) =>
      completeWith(run, async () => {
        for (const _ of bodies) {
          const request = { model: 'claude-x', max_tokens: 9, messages: [] };
          await publishAnthropic(run, client.messages.stream(request));
        }
      }),
    );
  };

  test('text, tools of the caller and usage are published, and thinking is not', async () => {
    const { end, tools } = await publish(
      sse(
        messageStart,
        ...block(0, { type: 'thinking', thinking: '' }, { type: 'thinking_delta', thinking: 'Hm.' }),
        { type: 'ping' },
        ...text(1, 'I will ', 'look.'),
        ...block(2, { type: 'tool_use', id: 't', name: 'look', input: {} }, ...input),
        ...block(3, { type: 'tool_use', id: 'u', name: 'wait', input: {} }, json('')),
        ...finished('tool_use'),
      ),
    );
    expect(tools).toEqual([
      { toolCallId: 't', toolName: 'look', status: 'started', args: { query: 'x' } },
      { toolCallId: 'u', toolName: 'wait', status: 'started', args: {} },
    ]);
    const usage = { inputTokens: 15, outputTokens: 20, totalTokens: 35, model: 'claude-x' };
    expect(end).toMatchObject({ status: 'SUCCESS', result: 'I will look.', usage });
  });

  test.each(RESULTS)('a %s of %j ends its call', async (type, result, outcome) => {
    const kind = type === 'mcp_tool_result' ? 'mcp_tool_use' : 'server_tool_use';
    const { tools, end } = await publish(
      sse(
        messageStart,
        ...block(0, { type: kind, id: 's', name: 'roll', input: {} }, ...input),
        ...block(1, { type, tool_use_id: 's', ...result }),
        ...finished('end_turn'),
      ),
    );
    const call = { toolCallId: 's', toolName: 'roll' };
    expect(tools).toEqual([
      { ...call, status: 'started', args: { query: 'x' } },
      { ...call, ...outcome },
    ]);
    expect(end).toMatchObject({ status: 'SUCCESS' });
  });

  test('a call of a paused turn ends in the next stream of the run', async () => {
    const use = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} };
    const result = { type: 'web_search_tool_result', tool_use_id: 's', content: [] };
    const { tools } = await publish(
      sse(messageStart, ...block(0, use, ...input), ...finished('pause_turn')),
      sse(messageStart, ...block(0, result), ...text(1, 'Done.'), ...finished('end_turn')),
    );
    expect(tools.map(({ status, toolCallId }) => [toolCallId, status])).toEqual([
      ['s', 'started'],
      ['s', 'succeeded'],
    ]);
  });

  test('the usage names the model to which Anthropic falls back', async () => {
    const fallback = { type: 'fallback', from: { model: 'claude-x' }, to: { model: 'claude-y' } };
    const { end } = await publish(
      sse(messageStart, ...block(0, fallback), ...text(1, 'Done.'), ...finished('end_turn')),
    );
    expect(end).toMatchObject({ result: 'Done.', usage: { model: 'claude-y' } });
  });

  test('a result whose call an earlier run has published is published with the name of its tool', async () => {
    const result = { type: 'web_search_tool_result', tool_use_id: 's', content: [] };
    const { tools } = await publish(sse(messageStart, ...block(0, result), ...finished('end_turn')));
    expect(tools).toEqual([
      { toolCallId: 's', toolName: 'web_search', status: 'started' },
      { toolCallId: 's', toolName: 'web_search', status: 'succeeded', result: [] },
    ]);
  });

  const half = [messageStart, ...text(0, 'Half ')];
  const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
  test.each<[string, Replay, string]>([
    ['an error in the stream', { body: sse(...half, overloaded), end: 'complete' }, 'Overloaded'],
    [
      'an error instead of a stream',
      { body: JSON.stringify(overloaded), end: 'complete', status: 529 },
      'Overloaded',
    ],
    ['an end before message_stop', { body: sse(...half), end: 'complete' }, ''],
    ['a broken connection', { body: sse(...half), end: 'break' }, ''],
  ])('%s ends the run as FAILED', async (_, replay, message) => {
    const { end } = await publish(replay);
    expect(end).toMatchObject({ status: 'FAILED', message: expect.stringContaining(message) });
  });
});
