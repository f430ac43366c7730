// When a Workflow Stream is queried and polled, with a client that records it.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TemporalError } from '../../../../src/temporal/source/errors.ts';
import { DEFAULT_WATCH_TIMES } from '../../../../src/temporal/source/watch-context.ts';
import type { ItemPosition } from '../../../../src/temporal/source/workflow-streams/item-history.ts';
import { type ItemPoller, pollStream } from '../../../../src/temporal/source/workflow-streams/item-poller.ts';
import { createStreamUse } from '../../../../src/temporal/source/workflow-streams/stream-use.ts';
import { audience } from '../../../source/audience.ts';
import { RUN, type Sample } from '../history-samples.ts';
import { eventsOf, item, poll, publish, taskCompleted } from './samples.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  poller?.stop();
  vi.useRealTimers();
});

const HANDLERS = new TemporalError(
  'no-query',
  'did not register a handler for getStreamState. Registered queries: [__temporal_workflow_stream_offset]',
);
const ACTIVITY: Sample = ['ACTIVITY_TASK_COMPLETED', { scheduledEventId: 1 }];

let poller: ItemPoller | undefined;
let position: ItemPosition;
let offset: number | TemporalError;
let calls: string[];

interface Options {
  readonly isPolled?: boolean;
  readonly isOpen?: boolean;
  readonly onPoll?: (from: number) => void;
}

function start({ isPolled = true, isOpen = true, onPoll }: Options = {}) {
  position = { confirmed: 0, known: 0, isSettled: true, isUsed: false, polls: 0, lastEventId: 1 };
  offset = 0;
  calls = [];
  const viewers = audience(50);
  const streamUse = createStreamUse(isPolled);
  const temporal = {
    async streamOffset() {
      calls.push('query');
      if (offset instanceof TemporalError) throw offset;
      return offset;
    },
    async pollStream(_run: unknown, { from, updateId }: { from: number; updateId: string }) {
      calls.push(`poll ${from} ${updateId}`);
      position = { ...position, polls: position.polls + 1 };
      onPoll?.(from);
      return true;
    },
  };
  const context = { temporal, audience: viewers, times: DEFAULT_WATCH_TIMES, streamUse };
  const signal = new AbortController().signal;
  poller = pollStream({ ...context, signal } as never, { ...RUN, isOpen }, () => position);
  return { viewers, streamUse };
}

/** The calls after these events, within a time. */
async function callsAfter(ms: number, ...samples: Sample[]): Promise<string[]> {
  calls = [];
  poller!.observe(eventsOf(...samples));
  await vi.advanceTimersByTimeAsync(ms);
  return calls;
}

/** What the poll brings is in the history. */
const bring = (count: number) => {
  position = { ...position, confirmed: count, known: count };
};

test('a workflow that is not known to have a stream is not queried', async () => {
  const { streamUse } = start();
  streamUse.recordFailure(new TemporalError('no-query', 'Registered queries: [__stack_trace]'));
  streamUse.recordFailure(new TemporalError('query-failed', '__temporal_workflow_stream_offset'));
  expect(await callsAfter(60_000, ACTIVITY, taskCompleted(1))).toEqual([]);
});

test('a stream whose items are all in the history is not polled', async () => {
  const { streamUse } = start();
  bring(3);
  offset = 3;
  streamUse.recordFailure(HANDLERS);
  expect(await callsAfter(60_000, taskCompleted(1))).toEqual(['query']);
  expect(streamUse.isRegistered).toBe(true);
});

test('missing items are polled from the first one that may be missing', async () => {
  const { streamUse } = start({ onPoll: () => bring(5) });
  bring(2);
  offset = 5;
  streamUse.recordFailure(HANDLERS);
  expect(await callsAfter(10_000, taskCompleted(1))).toEqual([
    'query',
    'poll 2 execstream-poll-0-2',
    'query',
  ]);
});

test('items that the history has by the time of the poll are not polled', async () => {
  const { streamUse } = start();
  offset = 2;
  streamUse.recordFailure(HANDLERS);
  await callsAfter(10);
  bring(2);
  expect(await callsAfter(10_000)).toEqual([]);
});

test('a poll starts after items that a query has confirmed', async () => {
  const { streamUse } = start({ onPoll: () => bring(4) });
  position = { ...position, known: 3 };
  offset = 3;
  streamUse.recordFailure(HANDLERS);
  expect(await callsAfter(5_000, taskCompleted(1))).toEqual(['query']);
  offset = 4;
  expect(await callsAfter(5_000, ACTIVITY, taskCompleted(2))).toContain('poll 3 execstream-poll-0-3');
});

test('signals whose items the workflow has not processed confirm nothing', async () => {
  const { streamUse } = start({ onPoll: () => bring(4) });
  position = { ...position, known: 3, isSettled: false };
  offset = 3;
  streamUse.recordFailure(HANDLERS);
  await callsAfter(5_000, taskCompleted(1));
  offset = 4;
  expect(await callsAfter(5_000, ACTIVITY, taskCompleted(2))).toContain('poll 0 execstream-poll-0-0');
});

test('signals with items and polls are no reason to query, and everything else that the workflow reacts to is', async () => {
  const { streamUse } = start();
  streamUse.recordFailure(HANDLERS);
  await callsAfter(5_000, taskCompleted(1));
  expect(await callsAfter(5_000, publish([item('a')]), taskCompleted(1))).toEqual([]);
  expect(await callsAfter(5_000, ...poll([]), taskCompleted(1))).toEqual([]);
  for (const sample of [
    ACTIVITY,
    ['TIMER_FIRED', {}],
    ['WORKFLOW_EXECUTION_SIGNALED', { signalName: 'go' }],
    ['WORKFLOW_EXECUTION_UPDATE_ACCEPTED', { acceptedRequest: { input: { name: 'approve' } } }],
  ] satisfies Sample[]) {
    expect(await callsAfter(5_000, sample)).toEqual([]);
    expect(await callsAfter(5_000, taskCompleted(1)), sample[0]).toEqual(['query']);
  }
});

test('the workflow may have published something after a local activity, whose task is completed before its marker', async () => {
  const { streamUse } = start();
  streamUse.recordFailure(HANDLERS);
  await callsAfter(5_000, taskCompleted(1));
  const marker: Sample = ['MARKER_RECORDED', { markerName: 'core_local_activity' }];
  expect(await callsAfter(5_000, taskCompleted(1), marker)).toEqual(['query']);
});

test('a message of a stream shows that there is one', async () => {
  start();
  await callsAfter(1_000, taskCompleted(1));
  position = { ...position, isUsed: true };
  expect(await callsAfter(1_000, publish([item('a')]))).toEqual(['query']);
});

test('tasks that are completed in quick succession are one query in 200 ms', async () => {
  const { streamUse } = start();
  streamUse.recordFailure(HANDLERS);
  calls = [];
  for (let i = 0; i < 100; i += 1) {
    poller!.observe(eventsOf(ACTIVITY, taskCompleted(1)));
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(calls.length).toBeGreaterThan(3);
  expect(calls.length).toBeLessThan(8);
});

test('polls that bring nothing end, with one warning', async () => {
  const { streamUse, viewers } = start();
  offset = 1;
  streamUse.recordFailure(HANDLERS);
  const polls = (await callsAfter(120_000, taskCompleted(1))).filter((call) => call.startsWith('poll'));
  expect(polls.length).toBeGreaterThan(1);
  expect(polls.length).toBeLessThan(8);
  expect(viewers.warnings).toEqual(['STREAM_INCOMPLETE']);
});

test.each([
  ['many polls', { polls: 1_000 }],
  ['a long history', { lastEventId: 45_000 }],
])('a run with %s is not polled, with one warning', async (_, limits) => {
  const { streamUse, viewers } = start();
  position = { ...position, ...limits };
  offset = 1;
  streamUse.recordFailure(HANDLERS);
  await callsAfter(5_000, taskCompleted(1));
  expect((await callsAfter(60_000, ACTIVITY, taskCompleted(1))).filter((call) => call !== 'query')).toEqual(
    [],
  );
  expect(viewers.warnings).toEqual(['STREAM_INCOMPLETE']);
});

test('the pause grows with the number of polls', async () => {
  const { streamUse } = start({ onPoll: (from) => bring(from + 1) });
  streamUse.recordFailure(HANDLERS);
  const pollsIn = async (polls: number) => {
    position = { ...position, confirmed: 0, known: 0, polls };
    offset = 1_000_000;
    return (await callsAfter(5_000, ACTIVITY, taskCompleted(1))).filter((call) => call !== 'query').length;
  };
  expect(await pollsIn(0)).toBeGreaterThan(10);
  expect(await pollsIn(500)).toBeLessThan(3);
});

test('without permission to update workflows viewers are warned, and no request follows', async () => {
  const { streamUse, viewers } = start({
    onPoll() {
      throw new TemporalError('denied', 'no');
    },
  });
  offset = 1;
  streamUse.recordFailure(HANDLERS);
  await callsAfter(1_000, taskCompleted(1));
  expect(await callsAfter(60_000, ACTIVITY, taskCompleted(1))).toEqual([]);
  expect(viewers.warnings).toEqual(['STREAM_INCOMPLETE']);
});

test('a busy workflow is queried again, and one without a worker at its next change', async () => {
  const { streamUse } = start();
  offset = new TemporalError('busy', 'query buffer is full');
  streamUse.recordFailure(HANDLERS);
  expect((await callsAfter(60_000, taskCompleted(1))).length).toBeGreaterThan(2);
  expect((await callsAfter(60_000, ACTIVITY, taskCompleted(1))).length).toBeLessThan(7);
  offset = new TemporalError('no-worker', 'nobody');
  expect(await callsAfter(60_000, ACTIVITY, taskCompleted(1))).toEqual(['query']);
  offset = 0;
  expect(await callsAfter(60_000, ACTIVITY, taskCompleted(1))).toEqual(['query']);
});

test.each([
  ['if polling is off', { isPolled: false }],
  ['that has closed', { isOpen: false }],
])('a workflow is neither queried nor polled %s', async (_, options) => {
  const { streamUse } = start(options);
  offset = 1;
  streamUse.recordFailure(HANDLERS);
  expect(await callsAfter(60_000, ACTIVITY, taskCompleted(1))).toEqual([]);
});

test('nothing is requested after the watch has stopped', async () => {
  const { streamUse } = start();
  streamUse.recordFailure(HANDLERS);
  await callsAfter(1_000, taskCompleted(1));
  poller!.stop();
  expect(await callsAfter(60_000, ACTIVITY, taskCompleted(1))).toEqual([]);
});
