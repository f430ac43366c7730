// Simulated streaming: a complete text that is published in chunks.
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  resolveSimulatedText,
  type SimulatedTextOptions,
  splitIntoChunks,
} from '../../src/publish/simulated-chunks.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { foldLog } from './fold.ts';
import { createRig } from './rig.ts';

afterEach(() => {
  vi.useRealTimers();
});

const anyText = fc
  .array(fc.constantFrom('word ', 'a', '\n', '\r\n', '\r', '漢字', '😀', '\ud83d', '  ', 'x'.repeat(30)), {
    maxLength: 80,
  })
  .map((parts) => parts.join(''));

describe('splitIntoChunks', () => {
  test('chunks add up to the text, respect both limits, and split no surrogate pair or CRLF', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.integer({ min: 2, max: 60 }),
        fc.integer({ min: 1, max: 40 }),
        (text, maxChars, maxChunks) => {
          const chunks = splitIntoChunks(text, { maxChars, maxChunks });
          expect(chunks.join('')).toBe(text);
          expect(chunks.length).toBeLessThanOrEqual(maxChunks);
          expect(chunks).not.toContain('');
          for (const [i, chunk] of chunks.entries()) {
            const next = chunks[i + 1] ?? '';
            expect(/[\ud800-\udbff]$/.test(chunk) && /^[\udc00-\udfff]/.test(next)).toBe(false);
            expect(chunk.endsWith('\r') && next.startsWith('\n')).toBe(false);
            if (text.length <= maxChars * maxChunks * 0.4) expect(chunk.length).toBeLessThanOrEqual(maxChars);
          }
        },
      ),
      { numRuns: propertyRuns(1_000) },
    );
  });

  test.each<[string, SimulatedTextOptions, string[]]>([
    ['abcdef', { maxChars: 1 }, ['ab', 'cd', 'ef']],
    ['abc', { maxChars: 3 }, ['abc']],
    ['abcd', { maxChars: 3 }, ['abc', 'd']],
    ['abcdefghij', { maxChars: 2, maxChunks: 1 }, ['abcdefghij']],
    ['abcdefghij', { maxChars: 2, maxChunks: 3 }, ['abcd', 'efg', 'hij']],
    ['a😀b', { maxChars: 2 }, ['a', '😀', 'b']],
    ['a\r\nb', { maxChars: 2 }, ['a', '\r\n', 'b']],
    ['ab\ude00c', { maxChars: 2 }, ['ab', '\ude00c']],
    ['abc defghijklm', { maxChars: 10 }, ['abc defghi', 'jklm']],
    ['abcd efghijklm', { maxChars: 10 }, ['abcd ', 'efghijklm']],
    ['ab\ncd efghijklm', { maxChars: 10 }, ['ab\ncd ', 'efghijklm']],
    ['', {}, []],
  ])('%j is split with %j into %j', (text, options, chunks) => {
    expect(splitIntoChunks(text, options)).toEqual(chunks);
  });

  test('the options may have the limits of their range', () => {
    expect(resolveSimulatedText({})).toEqual({ maxChars: 200, delayMs: 0, maxChunks: 100 });
    const widest = { maxChars: 1, maxChunks: 1, delayMs: 2 ** 31 - 1 };
    expect(resolveSimulatedText(widest)).toEqual(widest);
    expect(() => resolveSimulatedText({ delayMs: 2 ** 31 })).toThrow(
      'delayMs: expected 0 to 2147483647, got 2147483648',
    );
    expect(() => resolveSimulatedText({ delayMs: Number.NaN })).toThrow(
      'delayMs: expected 0 to 2147483647, got NaN',
    );
  });

  test('a chunk ends at a line break if there is one near its end, else after a word', () => {
    expect(splitIntoChunks('one two three four\nfive six seven eight nine', { maxChars: 24 })).toEqual([
      'one two three four\n',
      'five six seven eight ',
      'nine',
    ]);
    const text = 'It is a truth universally acknowledged. '.repeat(20);
    for (const chunk of splitIntoChunks(text).slice(0, -1)) {
      expect(chunk.length).toBeGreaterThan(150);
      expect(chunk.length).toBeLessThanOrEqual(200);
      expect(chunk).toMatch(/ $/);
    }
  });
});

describe('simulateText', () => {
  const text = 'It is a truth universally acknowledged. '.repeat(20);

  test('without a delay, each chunk is published immediately and as a separate event', async () => {
    const { publisher, log } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await run.simulateText(text);
    run.text('And on.');
    await run.complete();
    const { chunks } = await foldLog(log.real, 'a1');
    expect(chunks).toEqual([...splitIntoChunks(text), 'And on.']);
  });

  test('with a delay, it waits between chunks, and stops when the run is superseded', async () => {
    vi.useFakeTimers();
    const { publisher, log } = createRig();
    const begun = publisher.begin({ kind: 'agent', id: 'a1' });
    await vi.advanceTimersByTimeAsync(10);
    const run = await begun;
    const long = text.repeat(5);
    const done = run.simulateText(long, { delayMs: 100 });
    await vi.advanceTimersByTimeAsync(250);
    expect((await foldLog(log.real, 'a1')).chunks).toEqual(splitIntoChunks(long).slice(0, 3));
    const second = publisher.begin({ kind: 'agent', id: 'a1' });
    await vi.advanceTimersByTimeAsync(200);
    await second;
    await done;
    expect(run.signal.aborted).toBe(true);
    expect(run.stats.late).toBe(1);
    await publisher.close();
  });

  test('it rejects a text that is not a string and options out of range', async () => {
    const { publisher } = createRig({}, { strict: true });
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await expect(run.simulateText(1 as never)).rejects.toThrow(
      'simulateText(): expected a string, got number',
    );
    await expect(run.simulateText('x', { maxChars: 0 })).rejects.toThrow(
      'maxChars: expected a positive integer, got 0',
    );
    await expect(run.simulateText('x', { maxChunks: 1.5 })).rejects.toThrow(
      'maxChunks: expected a positive integer, got 1.5',
    );
    await expect(run.simulateText('x', { delayMs: -1 })).rejects.toThrow(
      'delayMs: expected 0 to 2147483647, got -1',
    );
  });
});
