// The watch of tasks in flight, with a fake Temporal and fake time.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Semaphore } from '../../../src/async/semaphore.ts';
import { DEFAULT_SIZE_LIMITS } from '../../../src/event/size-limits.ts';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { decodePlainJson } from '../../../src/temporal/shared/payloads.ts';
import type { WorkflowEvent } from '../../../src/temporal/shared/stream-query.ts';
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import { createFixedCopy } from '../../../src/temporal/source/fixed-copy.ts';
import { watchInFlight } from '../../../src/temporal/source/in-flight-watch.ts';
import { idsWithin } from '../../../src/temporal/source/namespace-ids.ts';
import type { PendingTask, TemporalClient } from '../../../src/temporal/source/temporal-client.ts';
import {
  createActiveWarnings,
  DEFAULT_WATCH_TIMES,
  type WatchContext,
} from '../../../src/temporal/source/watch-context.ts';
import { createStreamUse } from '../../../src/temporal/source/workflow-streams/stream-use.ts';
import { audience } from '../../source/audience.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { historyEvent, RUN, type Sample } from './history-samples.ts';

const INTERVAL_MS = 5_000;
const RUNNING: PendingTask = {
  ...{ taskId: 'fetch#1', status: 'RUNNING', attempt: 1, nextAttemptAt: undefined },
  ...{ failure: undefined, note: undefined, details: [], heartbeatAt: 0 },
};
const SCHEDULED: Sample = ['ACTIVITY_TASK_SCHEDULED', {}];

let log: ReturnType<typeof createMemoryLog>;
const stops: (() => Promise<void>)[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  log = createMemoryLog();
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await log.close();
  vi.useRealTimers();
});

/** The log as lines: seq, task, status or code, attempt, and progress. */
async function lines(): Promise<string[]> {
  const page = await log.read('w', 0, 10_000);
  return (page?.events ?? []).map(({ seq, data }) => {
    const { taskId, status, code, taskAttempt, progress } = data as Record<string, unknown>;
    const words = [seq, taskId, status ?? code ?? 'started', taskAttempt, progress];
    return words.filter((word) => word !== undefined).join(' ');
  });
}

interface Options {
  readonly fence?: number;
  readonly isOpen?: boolean;
  readonly isStarted?: boolean;
  readonly context?: Partial<WatchContext>;
  readonly decode?: TemporalClient['decode'];
}

/** A watcher of the run, whose history the test writes. */
async function startWatcher(options: Options = {}) {
  const { fence = 1, isOpen = true } = options;
  const watcher = {
    /** What Temporal reports. */
    pending: [RUNNING] as readonly PendingTask[],
    /** Runs before each response. */
    beforeResponse: async () => {},
    describes: [] as number[],
    stopped: [] as string[],
    errors: [] as unknown[],
  };
  const temporal = {
    async pendingTasks() {
      watcher.describes.push(Date.now());
      const { pending } = watcher;
      await watcher.beforeResponse();
      return pending;
    },
    decode: options.decode ?? (async (_: string, payloads: unknown) => payloads),
  } as unknown as TemporalClient;
  const viewers = audience(50);
  const copy = createFixedCopy({ log, executionId: 'w', fence });
  const context: WatchContext = {
    ...{ temporal, log, store: createMemoryStore(), executionId: 'w', audience: viewers, copy },
    ...{
      warnings: createActiveWarnings(viewers),
      times: { ...DEFAULT_WATCH_TIMES, activitiesMs: INTERVAL_MS },
    },
    ...{ sizes: DEFAULT_SIZE_LIMITS, decodePayload: undefined, beginChildren: async () => {} },
    ...{ streamUse: createStreamUse(false), idsFrom: () => idsWithin('default') },
    signal: new AbortController().signal,
    ...options.context,
  };
  await copy.enter({ epoch: 'history:r1', runId: 'r1', runStartedAt: 1, attempt: 1 });
  const turn = new Semaphore(1);
  const watch = watchInFlight(context, {
    ...{ run: { ...RUN, isOpen }, base: 0 },
    async exclusively(work) {
      await turn.acquire();
      try {
        return await work();
      } finally {
        turn.release();
      }
    },
    onStop: (outcome) => void watcher.stopped.push(outcome),
    onError: (error) => void watcher.errors.push(error),
  });
  stops.push(watch.stop);

  /** Appends an event of the history, as the watcher of the history does. */
  async function add(position: number, sample: Sample, type: 'task_start' | 'task_status', data: object) {
    const fields = { eventTime: { seconds: Math.floor(Date.now() / 1_000), nanos: 0 } };
    const source = historyEvent([sample[0], sample[1], fields], position);
    const event = { seq: position, type, ts: '2026-01-01T00:00:00.000Z', data } as WorkflowEvent;
    await turn.acquire();
    expect(await copy.append([event])).toBe('done');
    watch.observe(source, event);
    turn.release();
  }
  const schedule = (position: number, taskId = 'fetch#1') =>
    add(position, SCHEDULED, 'task_start', { taskId });
  const report = (position: number, status: string, sample: Sample = ['ACTIVITY_TASK_COMPLETED', {}]) =>
    add(position, sample, 'task_status', { status, taskId: 'fetch#1' });
  return Object.assign(watcher, { copy, watch, schedule, report, add });
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('a run', () => {
  test('is not described while no activity is open, however long that takes', async () => {
    const { describes, schedule, report } = await startWatcher();
    await pass(60_000);
    await schedule(1);
    await report(2, 'SUCCESS');
    await pass(60_000);
    expect(describes).toEqual([]);
    expect(await lines()).toEqual(['1 fetch#1 started', '2 fetch#1 SUCCESS']);
  });

  test('is described once for all activities, soon after one was scheduled', async () => {
    const watcher = await startWatcher();
    watcher.pending = [RUNNING, { ...RUNNING, taskId: 'fetch#2', status: 'PENDING' }];
    await watcher.schedule(1);
    await watcher.schedule(2, 'fetch#2');
    await pass(499);
    expect(watcher.describes).toHaveLength(0);
    await pass(1);
    expect(watcher.describes).toHaveLength(1);
    expect((await lines()).slice(2)).toEqual(['3 fetch#1 RUNNING 1', '4 fetch#2 PENDING 1']);
  });

  test('is described less and less often while nothing changes', async () => {
    const watcher = await startWatcher();
    await watcher.schedule(1);
    await pass(200_000);
    const waits = watcher.describes.map((at, i) => at - (watcher.describes[i - 1] ?? at));
    expect(waits).toEqual([0, 5_000, 10_000, 20_000, 40_000, 40_000, 40_000, 40_000]);
    expect(await lines()).toEqual(['1 fetch#1 started', '2 fetch#1 RUNNING 1']);
  });

  test('is not described if it is closed, or if that is turned off', async () => {
    const closed = await startWatcher({ isOpen: false });
    await closed.schedule(1);
    await pass(60_000);
    expect(closed.describes).toEqual([]);
    const times = { ...DEFAULT_WATCH_TIMES, activitiesMs: 0 };
    const off = await startWatcher({ fence: 2, context: { times } });
    await off.schedule(1);
    await pass(60_000);
    expect(off.describes).toEqual([]);
  });

  test('that cannot be described for a while is described later, without an error', async () => {
    const watcher = await startWatcher();
    watcher.beforeResponse = async () => {
      throw new TemporalError('unavailable', 'no response');
    };
    await watcher.schedule(1);
    await pass(30_000);
    expect(watcher.describes.length).toBeGreaterThan(1);
    watcher.beforeResponse = async () => {};
    await pass(60_000);
    expect([(await lines()).at(-1), watcher.errors]).toEqual(['2 fetch#1 RUNNING 1', []]);
  });
});

describe('an activity in flight', () => {
  test('shows each failed attempt that was seen, and the next one', async () => {
    const watcher = await startWatcher();
    await watcher.schedule(1);
    await pass(500);
    const failure = { message: 'no such page' };
    const nextAttemptAt = Date.now() + 30_000;
    watcher.pending = [{ ...RUNNING, status: 'WAITING', attempt: 2, failure, nextAttemptAt }];
    await pass(30_000);
    watcher.pending = [{ ...RUNNING, attempt: 2, failure }];
    await pass(500);
    expect(await lines()).toEqual([
      '1 fetch#1 started',
      '2 fetch#1 RUNNING 1',
      '3 ATTEMPT_FAILED',
      '4 fetch#1 WAITING 2',
      '5 fetch#1 RUNNING 2',
    ]);
    // The run is described when the attempt is due, and not in every interval before.
    expect(watcher.describes.at(-1)! - nextAttemptAt).toBe(500);
    expect(watcher.describes).toHaveLength(5);
  });

  test('is never shown after its end, also if Temporal had reported it before', async () => {
    const watcher = await startWatcher();
    await watcher.schedule(1);
    watcher.beforeResponse = () => watcher.report(2, 'SUCCESS');
    await pass(60_000);
    expect(watcher.describes).toHaveLength(1);
    expect(await lines()).toEqual(['1 fetch#1 started', '2 fetch#1 SUCCESS']);
  });

  test('is not shown by a response that is older than news of it in the history', async () => {
    const watcher = await startWatcher();
    await watcher.schedule(1);
    watcher.beforeResponse = async () => {
      watcher.beforeResponse = async () => {};
      await watcher.report(2, 'RUNNING', ['ACTIVITY_TASK_CANCEL_REQUESTED', {}]);
    };
    await pass(500);
    expect(await lines()).toEqual(['1 fetch#1 started', '2 fetch#1 RUNNING']);
    watcher.pending = [{ ...RUNNING, note: 'cancellation requested' }];
    await pass(10_000);
    expect((await lines()).slice(2)).toEqual(['3 fetch#1 RUNNING 1']);
  });

  test('is not mistaken for a later one with the same id', async () => {
    const watcher = await startWatcher();
    await watcher.schedule(1);
    watcher.pending = [{ ...RUNNING, attempt: 7 }];
    watcher.beforeResponse = async () => {
      watcher.beforeResponse = async () => {};
      await watcher.report(2, 'SUCCESS');
      await watcher.schedule(3);
    };
    await pass(500);
    expect(await lines()).toEqual(['1 fetch#1 started', '2 fetch#1 SUCCESS', '3 fetch#1 started']);
  });

  test('shows a pause immediately, however often it was shown before', async () => {
    const watcher = await startWatcher();
    await watcher.schedule(1);
    // After a day, a status is shown again after a minute and a half.
    await pass(86_400_000);
    watcher.pending = [{ ...RUNNING, status: 'WAITING', attempt: 2 }];
    await pass(40_500);
    watcher.pending = [{ ...RUNNING, attempt: 2 }];
    await pass(5_500);
    expect((await lines()).at(-1)).toBe('3 fetch#1 WAITING 2');
    watcher.pending = [{ ...RUNNING, status: 'PAUSED', attempt: 2, note: 'lunch' }];
    await pass(40_500);
    expect((await lines()).at(-1)).toBe('4 fetch#1 PAUSED 2');
    watcher.pending = [{ ...RUNNING, attempt: 2 }];
    await pass(40_500);
    expect((await lines()).at(-1)).toBe('5 fetch#1 RUNNING 2');
  });

  test('is a Nexus operation until it has started', async () => {
    const watcher = await startWatcher();
    await watcher.add(1, ['NEXUS_OPERATION_SCHEDULED', {}], 'task_start', { taskId: 'fetch#1' });
    watcher.pending = [{ ...RUNNING, status: 'WAITING', attempt: 2 }];
    await pass(500);
    expect((await lines()).at(-1)).toBe('2 fetch#1 WAITING 2');
    await watcher.report(2, 'RUNNING', ['NEXUS_OPERATION_STARTED', {}]);
    const { length } = watcher.describes;
    await pass(60_000);
    expect(watcher.describes).toHaveLength(length);
  });

  test('is no child workflow, which has its own stream', async () => {
    const watcher = await startWatcher();
    await watcher.add(1, ['START_CHILD_WORKFLOW_EXECUTION_INITIATED', {}], 'task_start', {
      taskId: 'fetch#1',
    });
    await pass(60_000);
    expect(watcher.describes).toEqual([]);
  });
});

describe('the progress of an activity', () => {
  const beat = (value: unknown, heartbeatAt = Date.now()): PendingTask => ({
    ...RUNNING,
    heartbeatAt,
    details: [
      {
        metadata: { encoding: new TextEncoder().encode('json/plain') },
        data: new TextEncoder().encode(JSON.stringify(value)),
      },
    ],
  });

  test('is shown once per interval, with the latest heartbeat', async () => {
    const watcher = await startWatcher({ context: { decodePayload: decodePlainJson } });
    await watcher.schedule(1);
    for (let i = 0; i < 155; i += 1) {
      watcher.pending = [beat(i)];
      await pass(100);
    }
    expect((await lines()).slice(1)).toEqual([
      '2 fetch#1 RUNNING 1 4',
      '3 fetch#1 RUNNING 1 54',
      '4 fetch#1 RUNNING 1 104',
      '5 fetch#1 RUNNING 1 154',
    ]);
  });

  test('is not shown without a decoder, and a heartbeat is no change then', async () => {
    const watcher = await startWatcher();
    await watcher.schedule(1);
    for (let i = 0; i < 100; i += 1) {
      watcher.pending = [beat(i)];
      await pass(1_000);
    }
    expect((await lines()).slice(1)).toEqual(['2 fetch#1 RUNNING 1']);
    expect(watcher.describes.length).toBeLessThan(7);
  });

  test('that is the same as before is not shown again', async () => {
    const watcher = await startWatcher({ context: { decodePayload: decodePlainJson } });
    await watcher.schedule(1);
    for (let i = 0; i < 60; i += 1) {
      watcher.pending = [beat('half')];
      await pass(1_000);
    }
    expect((await lines()).slice(1)).toEqual(['2 fetch#1 RUNNING 1 half']);
  });

  test('is shown later if the codec server is unavailable, and the status now', async () => {
    let isDown = true;
    const watcher = await startWatcher({
      context: { decodePayload: decodePlainJson },
      decode: async (_, payloads) => {
        if (isDown) throw new TemporalError('undecodable', 'codec server unavailable');
        return payloads;
      },
    });
    watcher.pending = [beat(1)];
    await watcher.schedule(1);
    await pass(5_500);
    expect((await lines()).slice(1)).toEqual(['2 fetch#1 RUNNING 1']);
    isDown = false;
    await pass(40_000);
    expect((await lines()).slice(1)).toEqual(['2 fetch#1 RUNNING 1', '3 fetch#1 RUNNING 1 1']);
  });
});

describe('thousands of activities', () => {
  test('are shown a hundred per interval, until all are', async () => {
    const watcher = await startWatcher();
    const ids = Array.from({ length: 250 }, (_, i) => `fetch#${i + 1}`);
    watcher.pending = ids.map((taskId) => ({ ...RUNNING, taskId }));
    for (const [i, id] of ids.entries()) await watcher.schedule(i + 1, id);
    const sizes = [];
    await pass(500);
    for (let round = 0; round < 4; round += 1) {
      sizes.push((await lines()).length - 250);
      await pass(5_000);
    }
    expect(sizes).toEqual([100, 200, 250, 250]);
    expect(new Set((await lines()).slice(250).map((line) => line.split(' ')[1])).size).toBe(250);
  });

  test('show changes of a status before progress', async () => {
    const watcher = await startWatcher({ context: { decodePayload: decodePlainJson } });
    const ids = Array.from({ length: 101 }, (_, i) => `fetch#${i + 1}`);
    watcher.pending = ids.map((taskId) => ({ ...RUNNING, taskId }));
    for (const [i, id] of ids.entries()) await watcher.schedule(i + 1, id);
    await pass(6_000);
    const encoding = new TextEncoder().encode('json/plain');
    const details = [{ metadata: { encoding }, data: new TextEncoder().encode('7') }];
    watcher.pending = ids.map((taskId, i) =>
      i === 100
        ? { ...RUNNING, taskId, attempt: 2, status: 'WAITING' }
        : { ...RUNNING, taskId, details, heartbeatAt: Date.now() },
    );
    await pass(10_000);
    const [first, second] = (await lines()).slice(202);
    expect(first).toBe('203 fetch#101 WAITING 2');
    expect(second).toMatch(/ RUNNING 1 7$/);
  });
});

describe('another watcher', () => {
  test('continues with what the log shows, and repeats nothing', async () => {
    const first = await startWatcher();
    await first.schedule(1);
    await first.schedule(2, 'fetch#2');
    first.pending = [
      { ...RUNNING, attempt: 2, failure: { message: 'flaked' } },
      { ...RUNNING, taskId: 'fetch#2' },
    ];
    await pass(500);
    const before = await lines();
    expect(before.slice(2)).toEqual(['3 ATTEMPT_FAILED', '4 fetch#1 RUNNING 2', '5 fetch#2 RUNNING 1']);
    await first.watch.stop();
    const second = await startWatcher({ fence: 2 });
    second.pending = first.pending;
    await second.schedule(1);
    await second.schedule(2, 'fetch#2');
    await pass(60_000);
    expect(second.describes.length).toBeGreaterThan(1);
    expect(await lines()).toEqual(before);
    second.pending = [{ ...RUNNING, attempt: 3, failure: { message: 'flaked' } }];
    await pass(40_000);
    expect((await lines()).slice(5)).toEqual(['6 ATTEMPT_FAILED', '7 fetch#1 RUNNING 3']);
  });

  test('shows nothing before it has read as much of the history as the log has', async () => {
    const first = await startWatcher();
    await first.schedule(1);
    await pass(500);
    await first.report(2, 'SUCCESS');
    await first.watch.stop();
    const second = await startWatcher({ fence: 2 });
    await second.schedule(1);
    // The end of the activity is in the log, and the history is read slowly.
    await pass(20_000);
    expect(second.describes).toEqual([]);
    await second.report(2, 'SUCCESS');
    await pass(20_000);
    expect(await lines()).toEqual(['1 fetch#1 started', '2 fetch#1 RUNNING 1', '3 fetch#1 SUCCESS']);
  });

  test('stops this one, with nothing appended', async () => {
    const first = await startWatcher();
    await first.schedule(1);
    const second = createFixedCopy({ log, executionId: 'w', fence: 2 });
    await second.enter({ epoch: 'history:r1', runId: 'r1', runStartedAt: 1, attempt: 1 });
    await pass(500);
    expect([first.stopped, first.errors]).toEqual([['fenced'], []]);
    expect(await lines()).toEqual(['1 fetch#1 started']);
  });
});

test('a log that is unavailable stops the watch with the error', async () => {
  const watcher = await startWatcher();
  await watcher.schedule(1);
  const append = vi.spyOn(log, 'append').mockRejectedValue(new Error('log unavailable'));
  await pass(60_000);
  append.mockRestore();
  expect(watcher.errors).toEqual([new Error('log unavailable')]);
  expect(watcher.describes).toHaveLength(1);
});

test('nothing is inserted after the watch was stopped', async () => {
  const watcher = await startWatcher();
  await watcher.schedule(1);
  watcher.beforeResponse = () => watcher.watch.stop();
  await pass(60_000);
  expect(watcher.describes).toHaveLength(1);
  expect(await lines()).toEqual(['1 fetch#1 started']);
});
