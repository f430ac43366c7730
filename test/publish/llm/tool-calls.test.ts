// The tool calls of a run, which its streams share.
import { describe, expect, test } from 'vitest';
import { invalidInput } from '../../../src/event/errors.ts';
import { parseArguments } from '../../../src/publish/llm/tool-calls.ts';
import { completeWith, publishFullStream } from '../../../src/worker.ts';
import { beginRun, outcomeOf, recorded } from './run.ts';

type Part = { type: string };
const call = (toolCallId: string) => ({ type: 'tool-call', toolCallId, toolName: 't', input: {} }) as Part;
const result = (toolCallId: string, output?: unknown) =>
  ({ type: 'tool-result', toolCallId, toolName: 't', input: { a: 1 }, output }) as Part;
const finish: Part = { type: 'finish' };

/** The tool calls of a run on which these streams are published. */
const callsOf = async (...streams: Part[][]) => {
  const { tools } = await outcomeOf((run) =>
    completeWith(run, async () => {
      for (const parts of streams) await publishFullStream(run, recorded(...parts, finish));
    }),
  );
  return tools;
};

describe('ids', () => {
  test('an id that was used before gets a number, and the model’s id is kept for its result', async () => {
    const { run } = await beginRun();
    const stream = recorded(call('a'), result('a'), call('a'), call('a-2'), call(''), finish);
    const { toolCalls } = await publishFullStream(run, stream);
    expect(toolCalls.map(({ toolCallId, modelCallId }) => [toolCallId, modelCallId])).toEqual([
      ['a', 'a'],
      ['a-2', 'a'],
      ['a-2-2', 'a-2'],
      ['call-1', undefined],
    ]);
  });

  test('an id of several KB is shortened, and its call still ends', async () => {
    const [a, b] = [`call_${'x'.repeat(5_000)}a`, `call_${'x'.repeat(5_000)}b`];
    const tools = await callsOf([call(a), call(b), result(b, 2), result(a, 1)]);
    expect(tools.map(({ toolCallId, status, result: of }) => [toolCallId, status, of])).toEqual([
      [a.slice(0, 200), 'started', undefined],
      [`${a.slice(0, 200)}-2`, 'started', undefined],
      [`${a.slice(0, 200)}-2`, 'succeeded', 2],
      [a.slice(0, 200), 'succeeded', 1],
    ]);
  });
});

describe('ends', () => {
  test('a call ends once, and only its last use of an id', async () => {
    const tools = await callsOf([call('a'), result('a', 1), result('a', 2)], [call('a'), result('a', 3)]);
    expect(tools.map(({ toolCallId, result: of }) => [toolCallId, of])).toEqual([
      ['a', undefined],
      ['a', 1],
      ['a-2', undefined],
      ['a-2', 3],
    ]);
  });

  test('a result whose call an earlier run has published is published with its arguments', async () => {
    expect(await callsOf([result('a', 1)])).toEqual([
      { toolCallId: 'a', toolName: 't', status: 'started', args: { a: 1 } },
      { toolCallId: 'a', toolName: 't', status: 'succeeded', result: 1 },
    ]);
  });

  test.each([
    [undefined, { status: 'succeeded' }],
    [null, { status: 'succeeded', result: null }],
    [false, { status: 'succeeded', result: false }],
    ['', { status: 'succeeded', result: '' }],
    [
      { isError: true, content: [{ type: 'text', text: 'no dice' }] },
      { status: 'failed', error: 'no dice' },
    ],
    [{ isError: true }, { status: 'succeeded', result: { isError: true } }],
  ])('a result %j is kept, unless it is the error of an MCP server', async (output, expected) => {
    expect((await callsOf([call('a'), result('a', output)])).at(-1)).toMatchObject(expected);
  });

  test.each([
    [{ approved: true }, []],
    [{ approved: false }, [{ toolCallId: 'a', toolName: 't', status: 'failed', error: 'not approved' }]],
    [
      { approved: false, reason: 'too risky' },
      [{ toolCallId: 'a', toolName: 't', status: 'failed', error: 'not approved: too risky' }],
    ],
  ])('the approval %j ends a call once if it is negative', async (approval, ends) => {
    const response = { type: 'tool-approval-response', toolCall: call('a'), ...approval };
    const denied = { type: 'tool-output-denied', toolCallId: 'a', toolName: 't' };
    const tools = await callsOf([call('a'), response, ...(approval.approved ? [] : [denied])]);
    expect(tools.slice(1)).toEqual(ends);
  });

  test.each([
    [new Error('broke'), 'broke'],
    ['broke', 'broke'],
    [{ message: 'broke' }, 'broke'],
    [{ error: { message: 'broke' } }, 'broke'],
    [{ code: 'E_BROKE' }, 'E_BROKE'],
    [{}, 'the tool failed'],
    [undefined, 'the tool failed'],
    [new Error(''), 'the tool failed'],
  ])('the error %j of a tool is readable', async (error, message) => {
    const tools = await callsOf([call('a'), { type: 'tool-error', toolCallId: 'a', error } as Part]);
    expect(tools.at(-1)).toEqual({ toolCallId: 'a', toolName: 't', status: 'failed', error: message });
  });

  test('an error that contains itself is readable', async () => {
    const error: { error?: unknown } = {};
    error.error = error;
    const tools = await callsOf([call('a'), { type: 'tool-error', toolCallId: 'a', error } as Part]);
    expect(tools.at(-1)).toMatchObject({ error: 'the tool failed' });
  });
});

describe.each([{ strict: false }, { strict: true }])('of a publisher with %o', (options) => {
  test('arguments and results that cannot be published are omitted, and long errors are cut', async () => {
    const { run, readStream } = await beginRun({}, options);
    const unpublishable: { itself?: unknown } = {};
    unpublishable.itself = unpublishable;
    const parts = [
      { ...call('a'), input: unpublishable },
      result('a', unpublishable),
      call('b'),
      { type: 'tool-error', toolCallId: 'b', toolName: 't', error: 'x'.repeat(100_000) },
      call('c'),
    ];
    await publishFullStream(run, recorded<Part>(...parts, finish));
    await run.complete();
    const { tools } = await readStream();
    expect(tools.map(({ toolCallId, status }) => [toolCallId, status])).toEqual([
      ['a', 'started'],
      ['a', 'succeeded'],
      ['b', 'started'],
      ['b', 'failed'],
      ['c', 'started'],
    ]);
    expect(tools[0]).toEqual({ toolCallId: 'a', toolName: 't', status: 'started' });
    expect(tools[3]!.error).toMatch(/^x{1000}/);
  });

  test('an error of another kind is thrown', async () => {
    const { run } = await beginRun({}, options);
    const broken = new Proxy(run, {
      get: (of, name) =>
        name === 'toolCall' ? () => Promise.reject(new Error('a bug')) : Reflect.get(of, name),
    });
    await expect(publishFullStream(broken, recorded(call('a'), finish))).rejects.toThrow('a bug');
  });
});

test('usage that a run does not take fails no work', async () => {
  const { run, readStream } = await beginRun();
  const strict = new Proxy(run, {
    get: (of, name) =>
      name === 'usage'
        ? () => {
            throw invalidInput('usage: too large');
          }
        : Reflect.get(of, name),
  });
  const parts = recorded<Part>({ type: 'finish', totalUsage: { inputTokens: 1, outputTokens: 2 } } as Part);
  await completeWith(run, publishFullStream(strict, parts));
  expect((await readStream()).end).toMatchObject({ status: 'SUCCESS' });
});

test('an integer that JavaScript cannot hold keeps its digits in the arguments', () => {
  expect(parseArguments('{"id":9007199254740993}')).toEqual({ id: '9007199254740993' });
});
