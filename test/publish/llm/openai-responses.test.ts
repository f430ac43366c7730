// The adapter for OpenAI's responses, with its SDK 5 to 7 against a server that replays them.
import { expect, test } from 'vitest';
import { completeWith, publishOpenAiResponse } from '../../../src/worker.ts';
import { describeModelSdks, replayModel, sse } from '../../support/model-sdks.ts';
import { createOpenAi, OPENAI_VERSIONS } from './openai.ts';
import { CLIENT_CALLS, HOSTED_CALLS, type Item, SEPARATE_OUTPUTS } from './response-calls.ts';
import { outcomeOf } from './run.ts';

const usage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
const created = { type: 'response.created', response: { id: 'r', model: 'gpt-x', status: 'in_progress' } };
const completed = {
  type: 'response.completed',
  response: { id: 'r', model: 'gpt-x', status: 'completed', usage },
};
const done = (item: object) => ({ type: 'response.output_item.done', output_index: 0, item });
/** Both events of an item, as OpenAI sends them: the first one has none of what follows. */
const item = ({ id, type, ...rest }: Item) => {
  const { call_id, name, execution, approval_request_id } = rest;
  const added = { id, type, status: 'in_progress', call_id, name, execution, approval_request_id };
  return [{ type: 'response.output_item.added', output_index: 0, item: added }, done({ id, type, ...rest })];
};

describeModelSdks.each(OPENAI_VERSIONS)('responses of openai %s', (version) => {
  const publish = async (...bodies: string[]) => {
    await using server = await replayModel(...bodies);
    const openai = await createOpenAi(version, server);
    return await outcomeOf((run) =>
      completeWith(run, async () => {
        for (const _ of bodies) {
          const request = { model: 'gpt-x', input: 'x', stream: true };
          await publishOpenAiResponse(run, await openai.responses.create(request));
        }
      }),
    );
  };

  test.each(CLIENT_CALLS)('a call of the client, %j, is started with its action', async (call, expected) => {
    const { tools, end } = await publish(sse(created, ...item(call), completed));
    expect(tools).toEqual([{ toolCallId: 'c', status: 'started', ...expected }]);
    expect(end).toMatchObject({ status: 'SUCCESS', usage: { totalTokens: 7, model: 'gpt-x' } });
  });

  test.each(HOSTED_CALLS)(
    'a hosted call, %j, ends with its arguments and outcome',
    async (call, expected) => {
      const { tools, calls } = await publish(sse(created, ...item(call), completed));
      expect(tools.map(({ toolCallId }) => toolCallId)).toEqual(['h', 'h']);
      expect(tools[0]).toMatchObject({ status: 'started' });
      expect(calls).toEqual([{ id: 'h', ...expected }]);
    },
  );

  test.each(SEPARATE_OUTPUTS)(
    'a call of %s ends with its output',
    async (toolName, call, output, outcome) => {
      const items = [done({ ...call, call_id: 'c' }), done({ ...output, call_id: 'c' })];
      const { tools } = await publish(sse(created, ...items, completed));
      expect(tools).toEqual([
        expect.objectContaining({ toolCallId: 'c', toolName, status: 'started' }),
        { toolCallId: 'c', toolName, ...outcome },
      ]);
    },
  );

  test('an MCP call that was approved ends the call of its approval request, in the next stream', async () => {
    const request = { id: 'ar', type: 'mcp_approval_request', name: 'roll', arguments: '{"sides":6}' };
    const call = { id: 'h', type: 'mcp_call', name: 'roll', arguments: '{"sides":6}', output: '4' };
    const { tools } = await publish(
      sse(created, ...item(request), completed),
      sse(created, ...item({ ...call, approval_request_id: 'ar' }), completed),
    );
    expect(tools).toEqual([
      { toolCallId: 'ar', toolName: 'roll', status: 'started', args: { sides: 6 } },
      { toolCallId: 'ar', toolName: 'roll', status: 'succeeded', result: '4' },
    ]);
  });

  test('text, the text in place of it, and a response that was cut are published', async () => {
    const text = (type: string, delta: string) => ({ type: `response.${type}.delta`, item_id: 'm', delta });
    const cut = { id: 'r', status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, usage };
    const { end } = await publish(
      sse(created, text('output_text', 'Well. '), text('reasoning_text', 'Hm.'), text('refusal', 'No.'), {
        type: 'response.incomplete',
        response: cut,
      }),
    );
    expect(end).toMatchObject({ status: 'SUCCESS', result: 'Well. No.', usage: { totalTokens: 7 } });
  });

  test.each([
    [
      {
        type: 'response.failed',
        response: { status: 'failed', error: { code: 'server_error', message: 'it broke' } },
      },
      { status: 'FAILED', message: 'it broke', code: 'server_error' },
    ],
    [
      { type: 'error', code: 'rate', message: 'slow down', param: null },
      { status: 'FAILED', message: 'slow down' },
    ],
    [
      { type: 'error', error: { code: 'rate', message: 'slow down' } },
      { status: 'FAILED', message: 'slow down' },
    ],
    [{ type: 'response.cancelled', response: { status: 'cancelled' } }, { status: 'CANCELED' }],
    [{ type: 'response.in_progress', response: {} }, { status: 'FAILED' }],
  ])('a response that ends with %j is no success', async (event, expected) => {
    const { end } = await publish(sse(created, event));
    expect(end).toMatchObject(expected);
  });
});
