// The transitions of a run's states.
import { describe, expect, test } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import {
  end,
  endedAtOf,
  giveUp,
  leave,
  OPEN,
  type RunPhase,
  reject,
  rowEnded,
  runStateOf,
  settle,
} from '../../src/publish/run-state.ts';

const POSITION = { epoch: 'epoch0000000', seq: 7 };
const ENDED = new ExecstreamError('ENDED', 'ended');
const SUPERSEDED = new ExecstreamError('SUPERSEDED', 'superseded');

const ENDING_ROW = end(OPEN);
const ENDING_LOG = rowEnded(ENDING_ROW);
const LEAVING = leave(OPEN, 'abandoned');
const RELEASED = settle(ENDING_LOG);

const PHASES: readonly (readonly [string, RunPhase])[] = [
  ['open', OPEN],
  ['ending-row', ENDING_ROW],
  ['ending-log', ENDING_LOG],
  ['leaving', LEAVING],
  ['released', RELEASED],
];

/** The transitions, by name; each takes a phase alone. */
const TRANSITIONS = {
  end,
  rowEnded,
  abandon: (phase: RunPhase) => leave(phase, 'abandoned'),
  settle,
  giveUp,
  rejectEnded: (phase: RunPhase) => reject(phase, ENDED, POSITION),
  rejectSuperseded: (phase: RunPhase) => reject(phase, SUPERSEDED),
};

test('the table of all transitions: the next state, or none where the transition does not apply', () => {
  const table = Object.fromEntries(
    PHASES.map(([name, phase]) => [
      name,
      Object.fromEntries(
        Object.entries(TRANSITIONS).flatMap(([transition, apply]) => {
          const next = apply(phase);
          return next === phase ? [] : [[transition, `${next.kind}: ${runStateOf(next)}`]];
        }),
      ),
    ]),
  );
  expect(table).toEqual({
    open: {
      end: 'ending-row: ending',
      abandon: 'leaving: abandoned',
      rejectEnded: 'released: ended',
      rejectSuperseded: 'released: superseded',
    },
    'ending-row': {
      rowEnded: 'ending-log: ending',
      settle: 'released: ended',
      giveUp: 'released: closed',
      rejectEnded: 'ending-row: ending',
      rejectSuperseded: 'released: superseded',
    },
    'ending-log': {
      settle: 'released: ended',
      giveUp: 'released: closed',
      rejectEnded: 'ending-log: ending',
    },
    leaving: { settle: 'released: abandoned' },
    released: {},
  });
});

test('transitions change no state in place', () => {
  for (const [name, phase] of PHASES) {
    const before = structuredClone({ ...phase });
    for (const apply of Object.values(TRANSITIONS)) apply(Object.freeze(phase));
    expect({ ...phase }, name).toEqual(before);
  }
});

describe('a rejection', () => {
  test('of an open run is kept, so that the signal can abort with it', () => {
    expect(reject(OPEN, SUPERSEDED)).toEqual({
      kind: 'released',
      state: 'superseded',
      rejection: SUPERSEDED,
    });
    expect(reject(OPEN, ENDED)).toEqual({ kind: 'released', state: 'ended', rejection: ENDED });
  });

  test('other than ENDED and SUPERSEDED releases the run as rejected', () => {
    const forbidden = new ExecstreamError('FORBIDDEN', 'another tenant');
    expect(reject(OPEN, forbidden)).toMatchObject({ state: 'rejected', rejection: forbidden });
  });

  test('with ENDED while the run is ending remembers the first position, also once the row has ended', () => {
    const noted = reject(ENDING_ROW, ENDED, POSITION);
    expect(endedAtOf(rowEnded(noted))).toEqual(POSITION);
    expect(endedAtOf(reject(noted, ENDED, { ...POSITION, seq: 9 }))).toEqual(POSITION);
    expect(reject(ENDING_ROW, ENDED)).toBe(ENDING_ROW);
  });

  test('after an end leaves no rejection behind', () => {
    expect(settle(reject(ENDING_LOG, ENDED, POSITION))).toEqual({ kind: 'released', state: 'ended' });
  });
});

test('a run that leaves shows its reason as its state before and after it is released', () => {
  for (const reason of ['abandoned', 'closed'] as const) {
    expect(runStateOf(leave(OPEN, reason))).toBe(reason);
    expect(runStateOf(settle(leave(OPEN, reason)))).toBe(reason);
  }
});
