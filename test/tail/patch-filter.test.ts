// Which patches a viewer can apply after a gap.
import { expect, test } from 'vitest';
import type { ExecutionEvent, NewEvent } from '../../src/event/events.ts';
import { withholdsPatches } from '../../src/tail/patch-filter.ts';
import { chunk, patch } from './harness.ts';

const withholds = (event: object | NewEvent, isWithheld: boolean) =>
  withholdsPatches(event as ExecutionEvent, isWithheld);
const gap = (data: object) => ({ type: 'gap', data: { fromSeq: 1, toSeq: 2, ...data } });
const reset = { type: 'reset', data: { reason: 'overflow' } };

test('a gap withholds patches, unless it carries the value', () => {
  for (const before of [true, false]) {
    expect(withholds(gap({}), before)).toBe(true);
    expect(withholds(gap({ text: 't' }), before)).toBe(true);
    expect(withholds(gap({ value: null }), before)).toBe(false);
  }
});

test('a reset and a patch of the complete value deliver patches again', () => {
  expect([withholds(reset, true), withholds(patch(''), true)]).toEqual([false, false]);
});

test('other patches and events change nothing', () => {
  for (const event of [patch('/a'), chunk()]) {
    expect([withholds(event, true), withholds(event, false)]).toEqual([true, false]);
  }
});
