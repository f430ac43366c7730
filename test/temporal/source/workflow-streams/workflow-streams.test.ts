// Workflows with Temporal's own library for Workflow Streams, on a real server with a real worker.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMemoryLog } from '../../../../src/log/memory.ts';
import type { TemporalClient } from '../../../../src/temporal/source/temporal-client.ts';
import { createMemoryStore } from '../../../support/memory-store.ts';
import { describeTemporal, useTemporal } from '../../../support/temporal.ts';
import { describeTemporalSdks } from '../../../support/temporal-sdks.ts';
import { uniqueId } from '../../rig.ts';
import { lastCursor, startForeignWorker, startWatching } from '../rig.ts';
import { countEvents, publishText, seqsOf, shownIn, textOf, watchItems } from './streams-rig.ts';
import { startStreamWorker } from './worker-process.ts';

const TOKENS = ['The ', 'quick ', 'brown ', 'fox '];
const UPDATES = 'workflowExecutionUpdateAcceptedEventAttributes';
/** A workflow's own events of the log, without the tasks that the history has. */
const withoutTasks = (lines: string[]) => lines.filter((line) => !/^(task_|workflow_status)/.test(line));
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describeTemporal('with Temporal', () => {
  const temporal = useTemporal();
  const launch = (taskQueue: string, name: string, ...args: unknown[]) =>
    temporal.client.workflow.start(name, { taskQueue, workflowId: uniqueId(name), args });

  /** Counts the requests for a Workflow Stream. */
  function counted() {
    const calls = { offsets: 0, polls: 0 };
    const wrap = (client: TemporalClient): TemporalClient => ({
      ...client,
      streamOffset(...args) {
        calls.offsets += 1;
        return client.streamOffset(...args);
      },
      pollStream(...args) {
        calls.polls += 1;
        return client.pollStream(...args);
      },
    });
    return { calls, wrap };
  }

  test('a workflow without a stream is sent no request for one', async () => {
    const { calls, wrap } = counted();
    await using watching = await startWatching(temporal.address, { temporal: wrap });
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'lapper', 1);
    using stream = await watchItems(watching.url, handle.workflowId);
    await stream.until(() => shownIn(stream).length > 0);
    await handle.signal('go');
    await stream.ended(10_000);
    expect(calls).toEqual({ offsets: 0, polls: 0 });
  });

  describeTemporalSdks('and the library for Workflow Streams', () => {
    const taskQueue = uniqueId('streams');
    let worker: AsyncDisposable;
    beforeAll(async () => {
      worker = await startStreamWorker(temporal.address, taskQueue);
    }, 60_000);
    afterAll(() => worker[Symbol.asyncDispose]());

    test('a run is shown completely: items of an activity, and of the workflow itself', async () => {
      await using watching = await startWatching(temporal.address);
      const handle = await launch(taskQueue, 'order', TOKENS);
      using stream = await watchItems(watching.url, handle.workflowId);
      await stream.ended(20_000);
      const lines = shownIn(stream);
      expect(textOf(stream, 'tokens')).toBe(TOKENS.join(''));
      expect(lines.filter((line) => line.startsWith('status: '))).toEqual([
        'status: {"kind":"received"}',
        'status: {"kind":"complete"}',
      ]);
      expect(seqsOf(stream)).toEqual(numbers(lines.length));
      expect(lines.filter((line) => /signal|update|__temporal/.test(line))).toEqual([]);
      expect(lines.at(-1)).toBe('complete SUCCESS');
      // One for each item of the workflow itself, none for tokens.
      expect(await countEvents(handle, UPDATES)).toBeLessThanOrEqual(2);
    }, 60_000);

    test('a server without a log shows the same events again, from the history alone', async () => {
      const read = async (id: string) => {
        await using watching = await startWatching(temporal.address);
        using stream = await watchItems(watching.url, id);
        await stream.ended(20_000);
        return shownIn(stream);
      };
      const handle = await launch(taskQueue, 'order', TOKENS);
      const first = await read(handle.workflowId);
      expect(await read(handle.workflowId)).toEqual(first);
    }, 60_000);

    test('with polling off nothing is written to the workflow, and items of activities are shown', async () => {
      const { calls, wrap } = counted();
      const options = { temporal: wrap, workflows: { pollsStreams: false } };
      await using watching = await startWatching(temporal.address, options);
      const handle = await launch(taskQueue, 'order', TOKENS);
      using stream = await watchItems(watching.url, handle.workflowId);
      await stream.ended(20_000);
      expect(textOf(stream, 'tokens')).toBe(TOKENS.join(''));
      expect(shownIn(stream).filter((line) => line.startsWith('status: '))).toEqual([]);
      expect(calls).toEqual({ offsets: 0, polls: 0 });
      expect(await countEvents(handle, UPDATES)).toBe(0);
    }, 60_000);

    test('topics are kept apart', async () => {
      await using watching = await startWatching(temporal.address);
      const handle = await launch(taskQueue, 'concurrent', TOKENS);
      using stream = await watchItems(watching.url, handle.workflowId);
      await stream.ended(20_000);
      expect([textOf(stream, 'left'), textOf(stream, 'right')]).toEqual([TOKENS.join(''), TOKENS.join('')]);
    }, 60_000);

    test('an activity that fails in the middle of its stream is announced when it starts again', async () => {
      await using watching = await startWatching(temporal.address);
      const handle = await launch(taskQueue, 'retried');
      using stream = await watchItems(watching.url, handle.workflowId);
      await stream.ended(20_000);
      const isOfStream = (line: string) => line.startsWith('tokens') || line.includes('STREAM_');
      expect(shownIn(stream).filter(isOfStream)).toEqual([
        'tokens: attempt 1. ',
        'warning STREAM_RESTARTED',
        'tokens: attempt 2. ',
      ]);
    }, 60_000);

    test('continue-as-new goes on, and items that nobody has polled are shown before it', async () => {
      await using watching = await startWatching(temporal.address);
      const handle = await launch(taskQueue, 'chain', { step: 1 });
      using stream = await watchItems(watching.url, handle.workflowId);
      await stream.ended(30_000);
      expect(textOf(stream, 'tokens')).toBe('token 1 token 2 token 3 ');
      const own = shownIn(stream).filter((line) => line.startsWith('own: '));
      expect(own).toEqual([1, 2, 3].flatMap((step) => [`own: "run ${step}"`, `own: "last of ${step}"`]));
      expect(seqsOf(stream)).toEqual(numbers(seqsOf(stream).length));
      // A viewer that comes to the last run gets what that one carries over.
      await using late = await startWatching(temporal.address);
      using again = await watchItems(late.url, handle.workflowId);
      await again.ended(20_000);
      expect(
        shownIn(again)
          .filter((line) => line.startsWith('own: '))
          .toSorted(),
      ).toEqual(own.toSorted());
    }, 60_000);

    test('a stream that the workflow truncates is shown completely by polls in time', async () => {
      await using watching = await startWatching(temporal.address);
      const handle = await launch(taskQueue, 'ticker', 12);
      using stream = await watchItems(watching.url, handle.workflowId);
      await stream.ended(30_000);
      const ticks = shownIn(stream).filter((line) => line.startsWith('ticks: '));
      expect(ticks).toEqual(numbers(12).map((n) => `ticks: ${n - 1}`));
    }, 60_000);

    test('items are shown without a worker, a batch that was sent twice once, and the worker continues', async () => {
      await using watching = await startWatching(temporal.address);
      const lateQueue = uniqueId('late');
      const handle = await launch(lateQueue, 'hub');
      await publishText(handle, 'one ', 'p', 1);
      await publishText(handle, 'one ', 'p', 1);
      using stream = await watchItems(watching.url, handle.workflowId);
      await stream.until(() => textOf(stream, 'tokens') !== '', 'text', 5_000);
      await using _worker = await startStreamWorker(temporal.address, lateQueue);
      await publishText(handle, 'two ', 'p', 2);
      await handle.signal('close');
      await stream.ended(20_000);
      expect(textOf(stream, 'tokens')).toBe('one two ');
      expect(await countEvents(handle, UPDATES)).toBe(0);
    }, 60_000);

    test('a viewer resumes with its cursor on another server, in the middle of a stream', async () => {
      const parts = { log: createMemoryLog(), store: createMemoryStore() };
      const handle = await launch(taskQueue, 'hub');
      let cursor: string;
      {
        await using first = await startWatching(temporal.address, { parts });
        using stream = await watchItems(first.url, handle.workflowId);
        for (const [i, text] of TOKENS.entries()) await publishText(handle, text, 'p', i + 1);
        await stream.until(() => textOf(stream, 'tokens').length >= TOKENS.join('').length, 'the text');
        cursor = lastCursor(stream);
      }
      await publishText(handle, 'jumps ', 'p', 5);
      await using second = await startWatching(temporal.address, { parts });
      using stream = await watchItems(second.url, handle.workflowId, cursor);
      await publishText(handle, 'over ', 'p', 6);
      await publishText(handle, 'over ', 'p', 6);
      await handle.signal('close');
      await stream.ended(20_000);
      expect(withoutTasks(shownIn(stream))).toEqual(['tokens: jumps ', 'tokens: over ', 'complete SUCCESS']);
    }, 60_000);

    test('an agent of the AI SDK is shown token by token, with its usage', async () => {
      await using watching = await startWatching(temporal.address);
      const agentQueue = uniqueId('agents');
      await using _worker = await startStreamWorker(temporal.address, agentQueue, { AGENT: '100' });
      const handle = await launch(agentQueue, 'agent', 'Write a pangram.');
      using stream = await watchItems(watching.url, handle.workflowId);
      await stream.ended(30_000);
      expect(textOf(stream, 'tokens')).toContain('The quick brown fox jumps over the lazy dog.');
      expect(stream.frames.filter(({ event }) => event === 'llm_chunk').length).toBeGreaterThan(3);
      expect(await handle.result()).toBe('The quick brown fox jumps over the lazy dog.');
      const usage = stream.frames.map(({ data }) => data && JSON.parse(data).usage).find(Boolean);
      expect(usage).toEqual({ inputTokens: 7, outputTokens: 9, totalTokens: 16, model: 'stand-in' });
    }, 90_000);
  });
});
