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
