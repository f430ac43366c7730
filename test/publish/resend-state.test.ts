// The state that a run resends: reduced by a viewer, it is the run's own.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ContentState, initialContent, reduceContent } from '../../src/event/content-state.ts';
import type { JsonValue, NewEvent } from '../../src/event/events.ts';
import { DEFAULT_LIMITS } from '../../src/publish/limits.ts';
import { createTextState, createValueState } from '../../src/publish/resend-state.ts';
import { propertyRuns } from '../support/property-runs.ts';

const reset: NewEvent = { type: 'reset', ts: '', data: { reason: 'overflow' } };

function reduceAll(state: ContentState, events: readonly NewEvent[]): ContentState {
  return events.reduce((each, event) => reduceContent(each, event), state);
}

const chunks = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { maxLength: 40 });

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
