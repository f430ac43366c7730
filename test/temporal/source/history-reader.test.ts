// Following a history, with a fake Temporal.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { HistoryEvent } from '../../../src/temporal/shared/history-event.ts';
import { followHistory } from '../../../src/temporal/source/history-reader.ts';
import type { HistoryRequest, TemporalClient } from '../../../src/temporal/source/temporal-client.ts';
import {
  createActiveWarnings,
  DEFAULT_WATCH_TIMES as times,
} from '../../../src/temporal/source/watch-context.ts';
import { audience } from '../../source/audience.ts';
import { RUN as run } from './history-samples.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Follows a history of three pages, the last of which has the close event; `requests` gets the time of each request. */
function follow(pauseMs?: (events: readonly HistoryEvent[]) => number) {
  const startedAt = Date.now();
  const requests: number[] = [];
  const history = async ({ from }: HistoryRequest) => {
    requests.push(Date.now() - startedAt);
    const page = from?.[0] ?? 1;
    const close = page === 3 && { workflowExecutionCompletedEventAttributes: {} };
    return { events: [{ eventId: page, ...close } as never], next: new Uint8Array([page + 1]) };
  };
  const closed = followHistory({
    ...{ temporal: { history } as unknown as TemporalClient, run, isCloseOnly: false, times },
    ...{ warnings: createActiveWarnings(audience(50)), signal: new AbortController().signal },
    onEvents: () => undefined,
    ...(pauseMs && { pauseMs }),
  });
  return { closed, requests };
}

test('each page is requested when the one before was read', async () => {
  const { closed, requests } = follow();
  expect(await closed).toMatchObject({ status: 'SUCCESS' });
  expect(requests).toEqual([0, 0, 0]);
});

test('pages are requested with a pause between them, which may end', async () => {
  let ms = 250;
  const { closed, requests } = follow(() => ms);
  await vi.advanceTimersByTimeAsync(249);
  expect(requests).toEqual([0]);
  await vi.advanceTimersByTimeAsync(1);
  ms = 0;
  await vi.advanceTimersByTimeAsync(250);
  expect(await closed).toMatchObject({ status: 'SUCCESS' });
  expect(requests).toEqual([0, 250, 500]);
});

test('the pause may depend on the events of the page', async () => {
  const { closed, requests } = follow(([event]) => (event!.eventId === (2 as never) ? 15 : 0));
  await vi.advanceTimersByTimeAsync(15);
  expect(await closed).toMatchObject({ status: 'SUCCESS' });
  expect(requests).toEqual([0, 0, 15]);
});

test('the last page of a paused workflow is read again up to once per second, until there is a next one', async () => {
  const startedAt = Date.now();
  const requests: [ms: number, from: number | undefined][] = [];
  let events = [1, 2];
  const history = async ({ from }: HistoryRequest) => {
    requests.push([Date.now() - startedAt, from?.[0]]);
    if (!from) return { events: [{ eventId: 1 }] as never, next: new Uint8Array([1]) };
    const page = events.filter((eventId) => eventId > from[0]!).map((eventId) => ({ eventId }) as never);
    const isPaused = events.length === 2;
    if (from[0] === 3)
      return {
        events: [{ eventId: 4, workflowExecutionCompletedEventAttributes: {} } as never],
        next: undefined,
      };
    return { events: page, next: isPaused ? undefined : new Uint8Array([3]) };
  };
  const read: unknown[] = [];
  const closed = followHistory({
    ...{ temporal: { history } as unknown as TemporalClient, run, isCloseOnly: false, times },
    ...{ warnings: createActiveWarnings(audience(50)), signal: new AbortController().signal },
    onEvents: (page) => void read.push(...page.map(({ eventId }) => eventId)),
  });
  await vi.advanceTimersByTimeAsync(4_000);
  const paused = [
    [0, undefined],
    [0, 1],
    [250, 1],
    [750, 1],
    [1_500, 1],
    [2_500, 1],
    [3_500, 1],
  ];
  expect(requests).toEqual(paused);
  events = [1, 2, 3];
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await closed).toMatchObject({ status: 'SUCCESS' });
  expect(requests).toEqual([...paused, [4_500, 1], [4_500, 3]]);
  expect(read).toEqual([1, 2, 3, 4]);
});
