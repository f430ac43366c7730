// Strings that grow within a value: what they cost on the wire, how late they are, and what happens beyond the limit of
// an event.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import type { ExecutionEvent, JsonValue } from '../../src/event/events.ts';
import { jsonBytes } from '../../src/event/json.ts';
import { completeWith } from '../../src/publish/llm/complete-with.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { until } from '../support/wait.ts';
import { foldLog } from './fold.ts';
import { createRig } from './rig.ts';

afterEach(() => {
  vi.useRealTimers();
});

const begin = (rig: ReturnType<typeof createRig>) =>
  rig.publisher.begin({ kind: 'agent', id: 'a1', mode: 'STRUCTURED' });

const bytesOf = (events: readonly ExecutionEvent[]) =>
  events.reduce((sum, { type, data }) => sum + (type === 'structured_delta' ? jsonBytes(data) : 0), 0);

/** A text that is no prefix of a repetition of itself. */
const textOf = (length: number) =>
  Array.from({ length }, (_, i) => String.fromCharCode(97 + ((i * i) % 26))).join('');

async function* grown(text: string, step: number, others: object = {}) {
  for (let end = step; end < text.length + step; end += step)
    yield { ...others, text: text.slice(0, end), end };
}

test('a string that grows to 40 KB in steps of 100 characters costs up to four times its length', async () => {
  const rig = createRig({ messageBytes: 256 * 1024 });
  const run = await begin(rig);
  const text = textOf(40_000);
  for (let end = 100; end <= text.length; end += 100) await run.value({ text: text.slice(0, end) });
  await run.complete();
  const { events, value } = await foldLog(rig.log.real, 'a1');
  expect(value).toEqual({ text });
  expect(bytesOf(events)).toBeLessThan(4 * text.length);
  expect(events.at(-1)).toMatchObject({ type: 'complete', data: { result: { text } } });
});

test('several strings that grow one after another cost up to four times their length', async () => {
  const rig = createRig();
  const run = await begin(rig);
  const value: { [name: string]: string } = {};
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    const text = textOf(4_000);
    for (let end = 20; end <= text.length; end += 20)
      await run.value({ ...value, [name]: text.slice(0, end) });
    value[name] = text;
  }
  await run.complete();
  const folded = await foldLog(rig.log.real, 'a1');
  expect(folded.value).toEqual(value);
  expect(bytesOf(folded.events)).toBeLessThan(4 * 5 * 4_000);
});

test('a slow string is sent a second after it has grown, and costs one repetition per second', async () => {
  const rig = createRig();
  const run = await begin(rig);
  await until(() => run.stats.appended === 1);
  vi.useFakeTimers();
  const text = textOf(8_000);
  for (let end = 100; end <= text.length; end += 100) {
    await run.value({ text: text.slice(0, end) });
    await vi.advanceTimersByTimeAsync(200);
    const { value } = await foldLog(rig.log.real, 'a1');
    // Five steps take a second; the batch may take one more.
    expect(end - (value as { text: string }).text.length).toBeLessThanOrEqual(600);
  }
  const { events } = await foldLog(rig.log.real, 'a1');
  const seconds = (text.length / 100) * 0.2;
  expect(bytesOf(events)).toBeLessThan(3 * text.length + (seconds * text.length) / 2);
  await vi.advanceTimersByTimeAsync(1_100);
  expect((await foldLog(rig.log.real, 'a1')).value).toEqual({ text });
  expect(vi.getTimerCount()).toBe(0);
});

test('short strings, other changes and strings that are rewritten are sent immediately', async () => {
  const rig = createRig({ growthDelayMs: 60_000 });
  const run = await begin(rig);
  const text = textOf(1_000);
  const values: JsonValue[] = [
    { text: 'a' },
    { text: 'ab' },
    { text, n: 1 },
    { text, n: 2 },
    { text: `b${text}` },
    { text },
  ];
  for (const value of values) {
    await run.value(value);
    await until(async () => isDeepStrictEqual((await foldLog(rig.log.real, 'a1')).value, value));
  }
});

test('with growthDelayMs 0 every step is sent', async () => {
  const rig = createRig({ growthDelayMs: 0 });
  const run = await begin(rig);
  const text = textOf(1_000);
  for (let end = 500; end <= 1_000; end += 100) await run.value({ text: text.slice(0, end) });
  await run.complete();
  const { types } = await foldLog(rig.log.real, 'a1');
  expect(types.filter((type) => type === 'structured_delta')).toHaveLength(6);
});

test('a run that is abandoned or closed sends the last growth', async () => {
  const rig = createRig();
  const run = await begin(rig);
  const text = textOf(1_000);
  await run.value({ text: text.slice(0, 900) });
  await run.value({ text });
  await run.abandon(new Error('no'));
  expect((await foldLog(rig.log.real, 'a1')).value).toEqual({ text });
  const second = await begin(rig);
  await second.value({ text: text.slice(0, 900) });
  await second.value({ text });
  await rig.publisher.close();
  expect((await foldLog(rig.log.real, 'a1')).value).toEqual({ text });
});

test('a string that grows beyond the limit of an event leads to one warning; the work goes on, and the state has the result', async () => {
  const rig = createRig();
  const run = await begin(rig);
  const text = textOf(70_000);
  await completeWith(run, async () => {
    for await (const value of grown(text, 1_000, { title: 'Tides' })) await run.value(value);
  });
  const { events, value, warnings } = await foldLog(rig.log.real, 'a1');
  expect(warnings).toEqual(['EVENT_TOO_LARGE']);
  // The string keeps what fitted, and the rest of the value is current.
  const shown = value as { text: string; end: number; title: string };
  expect(shown).toMatchObject({ title: 'Tides', end: 70_000 });
  expect(text.startsWith(shown.text)).toBe(true);
  expect(shown.text.length).toBeGreaterThan(18_000);
  expect(events.at(-1)).toMatchObject({ type: 'complete', data: { status: 'SUCCESS', resultOmitted: true } });
  expect(await rig.store.get('a1')).toMatchObject({
    status: 'SUCCESS',
    result: { title: 'Tides', text, end: 70_000 },
  });
});

test('any successive values end as the last one, and no step is later than the one that completes the run', async () => {
  const word = fc.string({ maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(word, word), { maxLength: 30 }), async (steps) => {
      const rig = createRig();
      const run = await begin(rig);
      let value = { a: '', list: [''] };
      for (const [a, b] of steps) {
        value = { a: value.a + a, list: [value.list[0]! + b, b] };
        await run.value(value);
      }
      await run.complete();
      const folded = await foldLog(rig.log.real, 'a1');
      expect(folded.value).toEqual(steps.length === 0 ? null : value);
    }),
    { numRuns: propertyRuns(50) },
  );
});
