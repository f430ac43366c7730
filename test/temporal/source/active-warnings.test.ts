// Warnings that are active while calls to Temporal fail.
import { beforeEach, expect, test } from 'vitest';
import { type TemporalCondition, TemporalError } from '../../../src/temporal/source/errors.ts';
import { type ActiveWarnings, createActiveWarnings } from '../../../src/temporal/source/watch-context.ts';

let shown: (string | undefined)[];
let warnings: ActiveWarnings;
beforeEach(() => {
  shown = [];
  warnings = createActiveWarnings({
    pollMs: 1_000,
    incarnation: undefined,
    warn() {},
    setActiveWarning: (warning) => void shown.push(warning?.code),
  });
});

const failed = (condition: TemporalCondition) => new TemporalError(condition, condition);

test.each(['unavailable', 'query-failed'] as const)(
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
