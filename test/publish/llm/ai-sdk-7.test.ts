// What only version 7 of the AI SDK has.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { completeWith, publishFullStream, publishPartialObjects } from '../../../src/worker.ts';
import { describeModelSdks, replayModel, sse } from '../../support/model-sdks.ts';
import { loadAiSdk } from './ai-sdk.ts';
import { called, finished, said } from './chat-chunks.ts';
import { outcomeOf } from './run.ts';

describeModelSdks('AI SDK 7', () => {
  test('its new name of fullStream is supported', async () => {
    await using server = await replayModel(sse(...said('Hello')));
    const { ai, options } = await loadAiSdk('7', server);
    const { end } = await outcomeOf((run) =>
      completeWith(run, () => publishFullStream(run, ai.streamText(options).stream)),
    );
    expect(end).toMatchObject({ status: 'SUCCESS', result: 'Hello' });
  });

  test('a result that does not promise its output is rejected', async () => {
    await using server = await replayModel(sse(...said('{"title":"A"}')));
    const { ai, options } = await loadAiSdk('7', server);
    const output = ai.Output.object({ schema: z.object({ title: z.string() }) });
    const { end } = await outcomeOf(
      (run) =>
        completeWith(run, () =>
          publishPartialObjects(run, ai.experimental_streamTextLowMemory({ ...options, output })),
        ),
      { mode: 'STRUCTURED' },
    );
    expect(end).toMatchObject({ status: 'FAILED', code: 'BAD_USER_INPUT' });
  });

  test('a call that is denied automatically ends once, with the reason', async () => {
    await using server = await replayModel(
      sse(called({ index: 0, id: 'c', name: 'roll', args: '{}' }), ...finished('tool_calls')),
      sse(...said('Sorry.')),
    );
    const { ai, options } = await loadAiSdk('7', server);
    const roll = ai.tool({ inputSchema: z.object({}), execute: () => 4 });
    const toolApproval = { roll: () => ({ type: 'denied', reason: 'too risky' }) };
    const { tools } = await outcomeOf((run) =>
      completeWith(run, () =>
        publishFullStream(run, ai.streamText({ ...options, tools: { roll }, toolApproval }).stream),
      ),
    );
    expect(tools.map(({ status, error }) => [status, error])).toEqual([
      ['started', undefined],
      ['failed', 'not approved: too risky'],
    ]);
  });
});
