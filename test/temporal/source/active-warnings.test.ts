// Warnings that are active while calls to Temporal fail.
import { beforeEach, expect, test } from 'vitest';
import { type TemporalCondition, TemporalError } from '../../../src/temporal/source/errors.ts';
import { type ActiveWarnings, createActiveWarnings } from '../../../src/temporal/source/watch-context.ts';

let shown: (string | undefined)[];
let logged: string[];
let warnings: ActiveWarnings;
beforeEach(() => {
  shown = [];
  logged = [];
  warnings = createActiveWarnings(
    {
      pollMs: 1_000,
      incarnation: undefined,
      warn() {},
      setActiveWarning: (warning) => void shown.push(warning?.code),
    },
    (code, { message }) => void logged.push(`${code} ${message}`),
  );
});

const failed = (condition: TemporalCondition) => new TemporalError(condition, condition);

test.each(['unavailable', 'rate-limited', 'query-failed', 'undecodable', 'not-ready'] as const)(
  'a first failure that is quick (%s) shows no warning',
  (condition) => {
    warnings.add('query', failed(condition));
    expect(shown).toEqual([]);
    warnings.add('query', failed(condition));
    expect(shown).toHaveLength(1);
  },
);

test('a failure after a deadline shows a warning immediately, once', () => {
  warnings.add('query', failed('slow-worker'));
  warnings.add('query', failed('slow-worker'));
  expect(shown).toEqual(['WORKER_SLOW']);
  warnings.add('query', failed('no-worker'));
  expect(shown).toEqual(['WORKER_SLOW', 'NO_WORKER']);
});

test('each warning is logged once until it clears, with what Temporal reported', () => {
  for (const condition of ['slow-worker', 'no-worker', 'slow-worker', 'no-worker'] as const) {
    warnings.add('query', failed(condition));
  }
  expect(shown).toHaveLength(4);
  expect(logged).toEqual(['WORKER_SLOW slow-worker', 'NO_WORKER no-worker']);
  warnings.clear('query');
  warnings.add('query', failed('no-worker'));
  expect(logged).toHaveLength(3);
});

test('the queries of others are waited for without a warning', () => {
  for (let i = 0; i < 5; i += 1) warnings.add('query', failed('busy'));
  expect([shown, logged]).toEqual([[], []]);
});

test('a warning is cleared once no call fails', () => {
  warnings.add('query', failed('slow-worker'));
  warnings.add('read', failed('denied'));
  warnings.clear('query');
  expect(shown).toEqual(['WORKER_SLOW', 'SOURCE_UNAVAILABLE']);
  warnings.clear('read');
  expect(shown.at(-1)).toBeUndefined();
});

test('an error that is not Temporal’s shows no warning', () => {
  warnings.add('read', new Error('log unavailable'));
  warnings.add('read', new Error('log unavailable'));
  expect(shown).toEqual([]);
});

test('a server that stands by shows the warning that the watcher noted, and clears it', () => {
  warnings.add('query', failed('no-worker'));
  const { note } = warnings;
  warnings.clearAll();
  warnings.adopt(note);
  warnings.adopt(undefined);
  expect(shown).toEqual(['NO_WORKER', undefined, 'NO_WORKER', undefined]);
});
