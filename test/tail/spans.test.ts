// Spans: shared by viewers at the same cursor, and never another sequence of events.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExecutionEvent } from '../../src/event/events.ts';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { dataBytesOf, splitIntoSpans } from '../../src/tail/event-span.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { chunk, ID, patch, range, seqs, settled, setUp, takeAll, unavailable } from './harness.ts';

const event = (seq: number, length = 1): ExecutionEvent => ({
  ...{ id: `${seq}-abcdefghij`, seq, executionId: ID, attempt: 1 },
  ...{ type: 'llm_chunk', ts: '', data: { content: 'x'.repeat(length) } },
});

describe('a page', () => {
  it('a page is split where a write is full, and no event is omitted', () => {
    expect(splitIntoSpans([])).toEqual([]);
    const events = [
      event(1),
      event(2, 60 * 1024),
      event(3),
      event(4, 30 * 1024),
      event(5, 30 * 1024),
      event(6),
    ];
    expect(splitIntoSpans(events).map(seqs)).toEqual([[1, 2], [3, 4, 5], [6]]);
  });
});

describe('small events', () => {
  it('a span of small events counts their envelopes', () => {
    const events = range(1, 1_000).map((seq) => event(seq));
    expect(splitIntoSpans(events).map(({ length }) => length)).toEqual([382, 382, 236]);
  });

  it('a span is full at exactly 48 KiB with its envelopes', () => {
    const bytes = 48 * 1024 - 128;
    expect(splitIntoSpans([event(1, bytes - 1), event(2)]).map(seqs)).toEqual([[1, 2]]);
    expect(splitIntoSpans([event(1, bytes), event(2)]).map(seqs)).toEqual([[1], [2]]);
  });

  it('the data of an event is counted in bytes: text without escapes, anything else as JSON', () => {
    expect(dataBytesOf({ ...event(1), data: { content: 'ä"' } } as ExecutionEvent)).toBe(3);
    const warning = { ...event(1), type: 'warning', data: { code: 'ä', message: '' } };
    expect(dataBytesOf(warning as ExecutionEvent)).toBe(Buffer.byteLength('{"code":"ä","message":""}'));
  });
});

describe('viewers', () => {
  it('viewers that replay an old log get the same spans by identity', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(3_000);
    const spansOf = async () => {
      const viewer = await open();
      const spans = [];
      for (let idle = 0; idle < 3; idle += 1) {
        for (let span = viewer.takeSpan(); span; span = viewer.takeSpan()) {
          spans.push(span);
          idle = 0;
        }
        if (viewer.take()) throw new Error('events must be taken as spans');
        await settled();
      }
      return spans;
    };
    const [one, other] = [await spansOf(), await spansOf()];
    expect(one.flatMap(({ events }) => seqs(events))).toEqual(range(1, 3_000));
    for (const [i, { events, from }] of one.entries()) {
      expect(events).toBe(other[i]!.events);
      expect(from).toBe(0);
    }
  });

  it('viewers with a filter, a pending warning or an incomplete value take events one by one', async () => {
    const { publisher, open } = await setUp({ bounds: { ...DEFAULT_BOUNDS, maxEvents: 10 } });
    await publisher.append(patch('/a'));
    await publisher.chunks(20, 20);
    const filtered = await open({
      events: new Set(['llm_chunk']),
      after: { seq: 15, epoch: publisher.epoch },
    });
    expect(filtered.takeSpan()).toBeUndefined();
    const warned = await open({ after: { seq: 15, epoch: publisher.epoch } });
    warned.warn('SOURCE_UNAVAILABLE', 'unavailable');
    expect(warned.takeSpan()).toBeUndefined();
    expect(warned.take()?.type).toBe('warning');
    expect(seqs(warned.takeSpan()!.events)).toEqual(range(16, 21));
    const afterGap = await open();
    await publisher.append(patch('/b'), chunk(), chunk());
    expect((await takeAll(afterGap)).map(({ type }) => type)).toEqual([
      'gap',
      ...Array.from({ length: 9 }, () => 'llm_chunk'),
    ]);
  });

  it('viewers take every event once and in order, however and whenever they take', async () => {
    const step = fc.oneof(
      fc.record({ publish: fc.integer({ min: 1, max: 400 }) }),
      fc.constant('take' as const),
      fc.constant('span' as const),
      fc.constant('settle' as const),
      fc.constant('outage' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, isAlone) => {
        const { log, publisher, open } = await setUp();
        const viewer = await open();
        if (!isAlone) await open();
        const taken: number[] = [];
        let published = 0;
        for (const next of steps) {
          if (typeof next === 'object') {
            await publisher.chunks(next.publish, 1 + (next.publish % 60));
            published += next.publish;
          } else if (next === 'take') {
            const one = viewer.take();
            if (one && one.type !== 'warning') taken.push(one.seq);
          } else if (next === 'span') {
            const span = viewer.takeSpan();
            if (span) taken.push(...seqs(span.events.slice(span.from)));
          } else if (next === 'settle') {
            await settled();
          } else {
            log.beforeRead = () => {
              log.beforeRead = () => {};
              throw unavailable();
            };
          }
        }
        log.beforeRead = () => {};
        while (taken.length < published) {
          taken.push(...seqs((await takeAll(viewer)).filter(({ type }) => type !== 'warning')));
        }
        expect(taken).toEqual(range(1, published));
        viewer.close();
      }),
      { numRuns: propertyRuns(60) },
    );
  });
});
