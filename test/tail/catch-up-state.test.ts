// The states of a tail's catch-up, without a tail.
import { describe, expect, test } from 'vitest';
import { type CatchUpState, CLOSED, CURRENT, Paused, Reading } from '../../src/tail/catch-up-state.ts';

const error = new Error('unavailable');

/** A state in words. */
function shown(state: CatchUpState): string {
  if (state === CURRENT) return 'current';
  if (state === CLOSED) return 'closed';
  if (state instanceof Paused) return `paused after ${state.failures}`;
  if (!(state instanceof Reading)) throw new Error('unknown state');
  const { isRetried, isStale, failures, pageError } = state;
  const parts = [
    isRetried ? 'retried' : 'once',
    isStale && 'stale',
    pageError !== undefined && 'page failed',
  ];
  return `reading ${parts.filter(Boolean).join(', ')} after ${failures}`;
}

const READING = CURRENT.missed();
const ONCE = CURRENT.refresh();
const PAUSED = READING.failed(error);
const AGAIN = PAUSED.elapsed();

describe('the states of a catch-up', () => {
  test.each<[string, CatchUpState, string]>([
    ['a current tail that misses an event reads the log', CURRENT.missed(), 'reading retried after 0'],
    ['a current tail reads the log once for a refresh', CURRENT.refresh(), 'reading once after 0'],
    ['a current tail pauses if a page cannot be read', CURRENT.pageFailed(error), 'paused after 1'],
    ['a read that succeeds makes the tail current', READING.succeeded(), 'current'],
    ['a read that fails is followed by a pause', READING.failed(error), 'paused after 1'],
    [
      'an event that is missed during a read makes it stale',
      READING.missed(),
      'reading retried, stale after 0',
    ],
    ['a stale read is followed by another one', READING.missed().succeeded(), 'reading retried after 0'],
    ['a stale read that fails is followed by a pause', READING.missed().failed(error), 'paused after 1'],
    ['a refresh that succeeds makes the tail current', ONCE.succeeded(), 'current'],
    ['a refresh that fails is not retried', ONCE.failed(error), 'current'],
    [
      'an event that is missed during a refresh makes it retried',
      ONCE.missed().failed(error),
      'paused after 1',
    ],
    [
      'a refresh during which an event is missed is stale',
      ONCE.missed().succeeded(),
      'reading retried after 0',
    ],
    ['a pause is followed by a read', PAUSED.elapsed(), 'reading retried after 1'],
    ['a refresh ends a pause', PAUSED.refresh(), 'reading retried after 1'],
    ['an event that is missed does not end a pause', PAUSED.missed(), 'paused after 1'],
    ['a page that fails does not end a pause', PAUSED.pageFailed(error), 'paused after 1'],
    ['failures in a row are counted', AGAIN.failed(error), 'paused after 2'],
    ['a success ends the row of failures', AGAIN.succeeded().missed().failed(error), 'paused after 1'],
    ['a missed event keeps the count of failures', AGAIN.missed().failed(error), 'paused after 2'],
    ['a stale read that succeeds resets the count', AGAIN.missed().succeeded(), 'reading retried after 0'],
    [
      'a page that fails during a read keeps staleness and count',
      AGAIN.missed().pageFailed(error),
      'reading retried, stale, page failed after 1',
    ],
    [
      'an event that is missed after a page failed keeps the error',
      READING.pageFailed(error).missed(),
      'reading retried, stale, page failed after 0',
    ],
    [
      'a page that fails during a read is followed by a pause',
      READING.pageFailed(error).succeeded(),
      'paused after 1',
    ],
    [
      'a page that fails during a refresh makes it retried',
      ONCE.pageFailed(error).failed(error),
      'paused after 1',
    ],
    [
      'a failed page adds no failure to that of the read',
      AGAIN.pageFailed(error).failed(error),
      'paused after 2',
    ],
  ])('%s', (_, state, expected) => {
    expect(shown(state)).toBe(expected);
  });

  test('a pause names the error that led to it, and the first one of several pages', () => {
    const [read, page, later] = [new Error('read'), new Error('page'), new Error('later')];
    const errorOf = (state: CatchUpState) => (state as Paused).error;
    expect(errorOf(READING.failed(read))).toBe(read);
    expect(errorOf(CURRENT.pageFailed(page))).toBe(page);
    expect(errorOf(READING.pageFailed(page).pageFailed(later).succeeded())).toBe(page);
    expect(errorOf(READING.pageFailed(page).failed(read))).toBe(read);
  });

  test('announcements during a read create no objects', () => {
    expect(READING.missed()).toBe(ONCE.missed());
    expect(READING.missed().missed()).toBe(READING.missed());
    expect(AGAIN.missed().missed().missed()).toBeInstanceOf(Reading);
    const stale = AGAIN.missed();
    expect(stale.missed()).toBe(stale);
  });

  test('only a read in progress keeps announcements from being appended', () => {
    expect([CURRENT, READING, ONCE, PAUSED, CLOSED].map(({ isReading }) => isReading)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });

  test('a closed tail stays closed', () => {
    const states = [CLOSED.missed(), CLOSED.refresh(), CLOSED.pageFailed(error), CLOSED.succeeded()];
    for (const state of [...states, CLOSED.failed(error), CLOSED.elapsed()]) expect(state).toBe(CLOSED);
  });
});
