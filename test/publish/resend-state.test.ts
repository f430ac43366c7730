// The state that a run resends: reduced by a viewer, it is the run's own.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ContentState, initialContent, reduceContent } from '../../src/event/content-state.ts';
import type { EventData, JsonValue, NewEvent } from '../../src/event/events.ts';
import { DEFAULT_LIMITS } from '../../src/publish/limits.ts';
import { createTextState, createValueState } from '../../src/publish/resend-state.ts';
import { propertyRuns } from '../support/property-runs.ts';

const reset: NewEvent = { type: 'reset', ts: '', data: { reason: 'overflow' } };

function reduceAll(state: ContentState, events: readonly NewEvent[]): ContentState {
  return events.reduce((each, event) => reduceContent(each, event), state);
}

const chunks = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { maxLength: 40 });

/** Chunks by their text, warnings by code and message. */
function shown(events: readonly NewEvent[]): string[] {
  return events.map(({ type, data }) =>
    type === 'llm_chunk' ? data.content : type === 'warning' ? `${data.code}: ${data.message}` : type,
  );
}

test('a text resent after a reset is the text without what is queued; if it is too long, its end, as partial', () => {
  const limits = { ...DEFAULT_LIMITS, heldTextBytes: 60, resultUnits: 120 };
  fc.assert(
    fc.property(chunks, fc.nat(3), (each, queued) => {
      const state = createTextState(limits);
      for (const chunk of each) state.addText(chunk);
      const inQueue = each.slice(Math.max(0, each.length - queued)).join('');
      const full = each.join('').slice(0, each.join('').length - inQueue.length);
      const seen = reduceAll(initialContent('TEXT'), [reset, ...state.resendEvents(inQueue.length)]);
      expect(full.endsWith(seen.text!)).toBe(true);
      expect(seen.completeness === 'full').toBe(seen.text === full);
      if (state.result() !== undefined) expect(state.result()).toBe(each.join(''));
    }),
    { numRuns: propertyRuns(500) },
  );
});

test('the events of successive values add up to each value, and so does what is resent', () => {
  const values = fc.array(fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>, { maxLength: 12 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 5 }), (each, wholeValueEvery) => {
      const state = createValueState({ ...DEFAULT_LIMITS, wholeValueEvery });
      let seen = initialContent('STRUCTURED');
      for (const value of each) {
        seen = reduceAll(seen, state.setValue(JSON.parse(JSON.stringify(value)) as JsonValue));
        const expected = { value: JSON.parse(JSON.stringify(value)) as JsonValue, completeness: 'full' };
        expect(seen).toEqual(expected);
        const resent = reduceAll(initialContent('STRUCTURED'), [reset, ...state.resendEvents(0)]);
        expect(resent).toEqual(expected);
      }
    }),
    { numRuns: propertyRuns(500) },
  );
});

test('a text of exactly `resultUnits` is the result, and a longer one has none and is resent as partial', () => {
  const state = createTextState({ ...DEFAULT_LIMITS, resultUnits: 4, heldTextBytes: 3 });
  state.addText('abcd');
  expect(state.result()).toBe('abcd');
  expect(shown(state.resendEvents(0))).toEqual([
    'PREFIX_LOST: the text is too long to be resent; only its last 3 code units follow',
    'bcd',
  ]);
  state.addText('e');
  expect(state.result()).toBeUndefined();
  expect(shown(state.resendEvents(0))).toEqual([
    'PREFIX_LOST: the text is too long to be resent; only its last 3 code units follow',
    'cde',
  ]);
  state.addText('f');
  expect(state.result()).toBeUndefined();
  // Of the queued text, no more is omitted than there is.
  expect(shown(state.resendEvents(9))).toEqual([
    'PREFIX_LOST: the text is too long to be resent; only its last 0 code units follow',
  ]);
});

test('a text is resent completely up to exactly `heldTextBytes`', () => {
  const state = createTextState({ ...DEFAULT_LIMITS, heldTextBytes: 4 });
  state.addText('éab');
  expect(shown(state.resendEvents(0))).toEqual(['éab']);
  expect(state.setValue(1)).toEqual([]);
  state.addText('c');
  expect(shown(state.resendEvents(0))[1]).toBe('abc');
  expect(shown(state.resendEvents(1))).toEqual(['éab']);
});

test('a value is sent completely if its patch would be larger, and in every nth delta', () => {
  const state = createValueState({ ...DEFAULT_LIMITS, wholeValueEvery: 3 });
  const paths = (value: JsonValue) =>
    state.setValue(value).map(({ data }) => (data as EventData['structured_delta']).patch[0]!.path);
  const filler = 'x'.repeat(200);
  expect(paths({ filler, n: 0 })).toEqual(['']);
  expect(paths({ filler, n: 0 })).toEqual([]);
  expect(paths({ filler, n: 1 })).toEqual(['/n']);
  expect(paths({ filler, n: 2 })).toEqual(['/n']);
  expect(paths({ filler, n: 3 })).toEqual(['']);
  expect(paths({ filler })).toEqual(['/n']);
  expect(paths({ a: 1, b: 2 })).toEqual(['']);
});

test('a value that was not set is not resent, and a resent value counts as a complete one', () => {
  const state = createValueState({ ...DEFAULT_LIMITS, wholeValueEvery: 2 });
  expect(state.resendEvents(0)).toEqual([]);
  state.addText('ignored');
  expect(state.result()).toBeNull();
  const filler = 'x'.repeat(200);
  state.setValue({ filler, n: 0 });
  state.setValue({ filler, n: 1 });
  expect(state.resendEvents(0)).toMatchObject([{ data: { patch: [{ path: '' }] } }]);
  expect(state.setValue({ filler, n: 2 })).toMatchObject([{ data: { patch: [{ path: '/n' }] } }]);
  expect(state.result()).toEqual({ filler, n: 2 });
});
