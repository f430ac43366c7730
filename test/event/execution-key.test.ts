// The keys of executions and of pinned runs.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isExecstreamError } from '../../src/event/errors.ts';
import { checkExecutionId, isExecutionId } from '../../src/event/execution-id.ts';
import {
  checkKey,
  checkRunId,
  executionIdOf,
  isPinnedRun,
  parseKey,
  pinnedRunKey,
} from '../../src/event/execution-key.ts';
import { DIFFICULT_IDS, LONGEST_IDS } from '../support/execution-ids.ts';

const RUN_ID = '01a20483-4f89-7122-a2dc-a89593dd9aaf';

function codeOf(check: () => unknown): string {
  try {
    check();
    return 'accepted';
  } catch (error) {
    return isExecstreamError(error) ? error.code : String(error);
  }
}

test('the key of a pinned run is no execution id, and names the run and the execution', () => {
  const ids = [...Object.values(DIFFICULT_IDS), ...LONGEST_IDS, 'a', '/', '~', `${RUN_ID}/x`, '~execstream'];
  const compare = (id: string): void => {
    const key = pinnedRunKey(id, RUN_ID);
    expect(isExecutionId(key)).toBe(false);
    expect(checkKey(key)).toBe(key);
    expect(parseKey(key)).toEqual({ executionId: id, runId: RUN_ID });
    expect(executionIdOf(key)).toBe(id);
    expect(isPinnedRun(key)).toBe(true);
    expect(checkKey(id)).toBe(id);
    expect(parseKey(id)).toEqual({ executionId: id, runId: undefined });
    expect(executionIdOf(id)).toBe(id);
    expect(isPinnedRun(id)).toBe(false);
  };
  ids.forEach(compare);
  fc.assert(fc.property(fc.string({ minLength: 1, unit: 'binary' }).filter(isExecutionId), compare));
});

test.each([
  '~execstream/',
  '~execstream/open-workflows',
  '~execstream/run/',
  `~execstream/run/${RUN_ID}`,
  `~execstream/run/${RUN_ID}/`,
  '~execstream/run/not-a-run-id-but-of-the-same-length-x/w',
  `~execstream/run/${RUN_ID}/${pinnedRunKey('w', RUN_ID)}`,
  pinnedRunKey('x'.repeat(1_001), RUN_ID),
  `${pinnedRunKey('w', RUN_ID)}\0`,
])('%s is neither an id nor a key', (text) => {
  expect(codeOf(() => checkExecutionId(text))).toBe('BAD_USER_INPUT');
  expect(codeOf(() => checkKey(text))).toBe('BAD_USER_INPUT');
});

test('the error for a reserved id says so', () => {
  expect(() => checkExecutionId('~execstream/x')).toThrow(
    '"~execstream/x" is not an execution id; ids that start with ~execstream/ are reserved',
  );
});

test('a run id is a UUID in any case, and becomes the one that Temporal writes', () => {
  expect(checkRunId(RUN_ID, 'runId')).toBe(RUN_ID);
  expect(checkRunId(RUN_ID.toUpperCase(), 'runId')).toBe(RUN_ID);
  for (const text of ['', 'r1', `${RUN_ID} `, `${RUN_ID}/..`, `{${RUN_ID}}`, RUN_ID.replaceAll('-', '')]) {
    expect(() => checkRunId(text, 'run_id'), text).toThrow(
      /^run_id: expected the id of a run, a UUID, got "/,
    );
  }
});
