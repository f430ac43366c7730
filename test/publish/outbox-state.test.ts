// The transitions of an outbox's states.
import { describe, expect, test } from 'vitest';
import {
  appended,
  failed,
  failuresOf,
  lost,
  type OutboxState,
  opened,
  positionOf,
  start,
  stop,
  WAITING,
} from '../../src/publish/outbox-state.ts';

const FIRST = { epoch: 'first0000000', seq: 4 };
const SECOND = { epoch: 'second000000', seq: 1 };
const ERROR = new Error('connection refused');

const OPENING = start(WAITING, 3);
const APPENDING = opened(OPENING, FIRST);
const REOPENING = lost(APPENDING);
const STOPPED = stop(APPENDING);

const STATES: readonly (readonly [string, OutboxState])[] = [
  ['waiting', WAITING],
  ['opening', OPENING],
  ['appending', APPENDING],
  ['reopening', REOPENING],
  ['stopped', STOPPED],
];

const TRANSITIONS = {
  start: (state: OutboxState) => start(state, 3),
  opened: (state: OutboxState) => opened(state, SECOND),
  appended: (state: OutboxState) => appended(state, 6),
  lost,
  failed: (state: OutboxState) => failed(state, ERROR),
  stop,
};

test('the table of all transitions: the next state, or none where the transition does not apply', () => {
  const table = Object.fromEntries(
    STATES.map(([name, state]) => [
      name,
      Object.fromEntries(
        Object.entries(TRANSITIONS).flatMap(([transition, apply]) => {
          const next = apply(state);
          return next === state ? [] : [[transition, next.kind]];
        }),
      ),
    ]),
  );
  expect(table).toEqual({
    waiting: { start: 'opening', stop: 'stopped' },
    opening: { opened: 'appending', failed: 'opening', stop: 'stopped' },
    appending: { appended: 'appending', lost: 'reopening', failed: 'appending', stop: 'stopped' },
    reopening: { opened: 'appending', failed: 'reopening', stop: 'stopped' },
    stopped: {},
  });
});

test('transitions change no state in place', () => {
  for (const [name, state] of STATES) {
    const before = structuredClone({ ...state });
    for (const apply of Object.values(TRANSITIONS)) apply(Object.freeze(state));
    expect({ ...state }, name).toEqual(before);
  }
});

test('the position is the head of the log when it opens, then the last acknowledged event', () => {
  expect(positionOf(OPENING)).toBeUndefined();
  expect(positionOf(APPENDING)).toEqual(FIRST);
  expect(positionOf(appended(APPENDING, 9))).toEqual({ ...FIRST, seq: 9 });
  expect(positionOf(STOPPED)).toBeUndefined();
});

describe('a log that was lost', () => {
  test('keeps the last acknowledged position until it is opened again', () => {
    expect(REOPENING).toMatchObject({ kind: 'reopening', attempt: 3, position: FIRST });
  });

  test('continues at the head of its new epoch', () => {
    expect(opened(REOPENING, SECOND)).toMatchObject({ kind: 'appending', attempt: 3, position: SECOND });
  });

  test('that reappears with the same epoch keeps the acknowledged position and its failures', () => {
    const retried = failed(REOPENING, ERROR);
    const reappeared = opened(retried, { ...FIRST, seq: 40 });
    expect(positionOf(reappeared)).toEqual(FIRST);
    expect(failuresOf(reappeared)).toEqual({ count: 1, lastError: ERROR });
  });
});

test('failures are counted until a call succeeds, whichever call it is', () => {
  const twice = failed(failed(OPENING, new Error('first')), ERROR);
  expect(failuresOf(twice)).toEqual({ count: 2, lastError: ERROR });
  const none = { count: 0, lastError: undefined };
  expect(failuresOf(opened(twice, FIRST))).toEqual(none);
  expect(failuresOf(appended(failed(APPENDING, ERROR), 5))).toEqual(none);
  expect(failuresOf(lost(failed(APPENDING, ERROR)))).toEqual(none);
});
