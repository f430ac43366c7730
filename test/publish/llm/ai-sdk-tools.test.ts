// The tool calls of the AI SDK, with its versions 5 to 7 and its OpenAI provider against a server that replays chat
// completions.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { completeWith, publishFullStream } from '../../../src/worker.ts';
import { describeModelSdks, replayModel, sse } from '../../support/model-sdks.ts';
import { AI_SDK_VERSIONS, loadAiSdk } from './ai-sdk.ts';
import { called, finished, said } from './chat-chunks.ts';
import { outcomeOf } from './run.ts';

describeModelSdks.each(AI_SDK_VERSIONS)('tools of the AI SDK %s', (version) => {
  test('tools that are unknown, or called with wrong arguments, fail once', async () => {
    await using server = await replayModel(
      sse(
        called({ index: 0, id: 'c1', name: 'nope', args: '{}' }),
        called({ index: 1, id: 'c2', name: 'weather', args: '{"town":1}' }),
        ...finished('tool_calls'),
      ),
      sse(...said('Sorry.')),
    );
    const { ai, options } = await loadAiSdk(version, server);
    const weather = ai.tool({ inputSchema: z.object({ city: z.string() }), execute: () => 'sunny' });
    const { tools, end } = await outcomeOf((run) => {
      const { fullStream } = ai.streamText({ ...options, tools: { weather }, stopWhen: ai.stepCountIs(3) });
      return completeWith(run, publishFullStream(run, fullStream));
    });
    expect(tools).toEqual([
      { toolCallId: 'c1', toolName: 'nope', status: 'started', args: {} },
      { toolCallId: 'c1', toolName: 'nope', status: 'failed', error: expect.stringContaining('nope') },
      { toolCallId: 'c2', toolName: 'weather', status: 'started', args: { town: 1 } },
      { toolCallId: 'c2', toolName: 'weather', status: 'failed', error: expect.stringContaining('city') },
    ]);
    expect(end).toMatchObject({ status: 'SUCCESS' });
  });

  test('calls with one id in two steps are two calls, and a null result is kept', async () => {
    const weather = (city: string) =>
      sse(
        called({ index: 0, id: 'c', name: 'weather', args: JSON.stringify({ city }) }),
        ...finished('tool_calls'),
      );
    await using server = await replayModel(weather('Oslo'), weather('Rome'), sse(...said('Done.')));
    const { ai, options } = await loadAiSdk(version, server);
    const { tools } = await outcomeOf((run) => {
      const tool = ai.tool({ inputSchema: z.object({ city: z.string() }), execute: () => null });
      const { fullStream } = ai.streamText({
        ...options,
        tools: { weather: tool },
        stopWhen: ai.stepCountIs(4),
      });
      return completeWith(run, publishFullStream(run, fullStream));
    });
    expect(tools).toEqual([
      { toolCallId: 'c', toolName: 'weather', status: 'started', args: { city: 'Oslo' } },
      { toolCallId: 'c', toolName: 'weather', status: 'succeeded', result: null },
      { toolCallId: 'c-2', toolName: 'weather', status: 'started', args: { city: 'Rome' } },
      { toolCallId: 'c-2', toolName: 'weather', status: 'succeeded', result: null },
    ]);
  });

  // Version 5 has no approvals.
  const decisions: [boolean, object][] = [
    [true, { status: 'succeeded', result: 'sunny' }],
    [false, { status: 'failed', error: 'not approved' }],
  ];
  test.each(version === '5' ? [] : decisions)(
    'a call whose approval (%s) is decided in the next stream of the run ends there',
    async (approved, outcome) => {
      await using server = await replayModel(
        sse(
          called({ index: 0, id: 'c', name: 'weather', args: '{"city":"Oslo"}' }),
          ...finished('tool_calls'),
        ),
        sse(...said('Done.')),
      );
      const {
        ai,
        options: { prompt, ...options },
      } = await loadAiSdk(version, server);
      const weather = ai.tool({
        inputSchema: z.object({ city: z.string() }),
        needsApproval: true,
        execute: () => 'sunny',
      });
      const user = { role: 'user', content: prompt };
      const { tools } = await outcomeOf((run) =>
        completeWith(run, async () => {
          const first = ai.streamText({ ...options, messages: [user], tools: { weather } });
          await publishFullStream(run, first.fullStream);
          const { messages } = await first.response;
          const request = messages
            .at(-1)
            .content.find((part: { type: string }) => part.type === 'tool-approval-request');
          const response = { type: 'tool-approval-response', approvalId: request.approvalId, approved };
          const decided = [user, ...messages, { role: 'tool', content: [response] }];
          await publishFullStream(
            run,
            ai.streamText({ ...options, messages: decided, tools: { weather } }).fullStream,
          );
        }),
      );
      const call = { toolCallId: 'c', toolName: 'weather' };
      expect(tools).toEqual([
        { ...call, status: 'started', args: { city: 'Oslo' } },
        { ...call, ...outcome },
      ]);
    },
  );
});
