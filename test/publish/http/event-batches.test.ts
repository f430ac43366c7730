// The events of an append, split into requests.
import { expect, test } from 'vitest';
import { splitEvents } from '../../../src/publish/http/event-batches.ts';
import { chunk, range } from '../../support/app.ts';

const ROOM = 10_000;
const BODY = 256;
/** An event that takes this many bytes of a body. */
const event = (bytes: number) => chunk('x'.repeat(bytes - JSON.stringify(chunk('')).length - 1));
const sizes = (...bytes: number[]) => splitEvents(bytes.map(event), ROOM).map(({ length }) => length);

test('events that fit exactly are one request, and one byte more makes two', () => {
  expect(sizes(5_000, ROOM - BODY - 5_000)).toEqual([2]);
  expect(sizes(5_000, ROOM - BODY - 5_000 + 1)).toEqual([1, 1]);
});

test('each request has the whole room, and order is kept', () => {
  expect(sizes(5_000, 5_000, 4_000, 744, 1_000)).toEqual([1, 3, 1]);
  const events = range(1, 9).map((n) => chunk(`${n}${'x'.repeat(3_000)}`));
  expect(splitEvents(events, ROOM).flat()).toEqual(events);
});

test('an event that is too large has a request to itself', () => {
  expect(sizes(500, 20_000, 500)).toEqual([1, 1, 1]);
});

test('a request has at most 1,000 events', () => {
  const events = range(1, 2_001).map(() => chunk(''));
  expect(splitEvents(events, 1e6).map(({ length }) => length)).toEqual([1_000, 1_000, 1]);
});

test('no events are no request', () => {
  expect(splitEvents([])).toEqual([]);
});
