// A text that is whole already, published as if it grew.
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { splitIntoChunks } from '../../src/publish/simulated-chunks.ts';
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

describe('pieces', () => {
  test('joined are the text, are no more and no larger than asked for, and cut no pair', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.integer({ min: 2, max: 60 }),
        fc.integer({ min: 1, max: 40 }),
        (text, units, most) => {
          const pieces = splitIntoChunks(text, { units, maxPieces: most });
          expect(pieces.join('')).toBe(text);
          expect(pieces.length).toBeLessThanOrEqual(most);
          expect(pieces).not.toContain('');
          for (const [i, piece] of pieces.entries()) {
            const next = pieces[i + 1] ?? '';
            expect(/[\ud800-\udbff]$/.test(piece) && /^[\udc00-\udfff]/.test(next)).toBe(false);
            expect(piece.endsWith('\r') && next.startsWith('\n')).toBe(false);
            if (text.length <= units * most * 0.4) expect(piece.length).toBeLessThanOrEqual(units);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('end with a line where there is one, else with a word', () => {
    expect(splitIntoChunks('one two three four\nfive six seven eight nine', { units: 24 })).toEqual([
      'one two three four\n',
      'five six seven eight ',
      'nine',
    ]);
    const text = 'It is a truth universally acknowledged. '.repeat(20);
    for (const piece of splitIntoChunks(text).slice(0, -1)) {
      expect(piece.length).toBeGreaterThan(150);
      expect(piece.length).toBeLessThanOrEqual(200);
      expect(piece).toMatch(/ $/);
    }
  });
});

describe('simulateText', () => {
  const text = 'It is a truth universally acknowledged. '.repeat(20);

  test('at once publishes each piece as a chunk of its own', async () => {
    const { publisher, log } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await run.simulateText(text);
    run.text('And on.');
    await run.complete();
    const { chunks } = await foldLog(log.real, 'a1');
    expect(chunks).toEqual([...splitIntoChunks(text), 'And on.']);
  });

  test('at a pace waits between them, and stops where the run is over', async () => {
    vi.useFakeTimers();
    const { publisher, log } = createRig();
    const begun = publisher.begin({ kind: 'agent', id: 'a1' });
    await vi.advanceTimersByTimeAsync(10);
    const run = await begun;
    const long = text.repeat(5);
    const done = run.simulateText(long, { paceMs: 100 });
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

  test('refuses what is no text and no option', async () => {
    const { publisher } = createRig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    await expect(run.simulateText(1 as never)).rejects.toThrow('takes a string');
    await expect(run.simulateText('x', { units: 0 })).rejects.toThrow('units is 0');
    await expect(run.simulateText('x', { paceMs: -1 })).rejects.toThrow('paceMs is -1');
  });
});
