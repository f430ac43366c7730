// The states of a run. States are immutable: a transition returns the next state, or the given one if it does not
// apply. lifecycle.ts performs the effects.
//
//   RunPhase
//   ├── active
//   │   ├── open              accepts events
//   │   ├── ending            the end is being recorded
//   │   │   ├── ending-row    the row has not ended yet
//   │   │   └── ending-log    the row has ended; the terminal event is being appended
//   │   └── leaving           sends the queued events and records no end (abandoned, closed)
//   └── released              sends nothing more (ended, superseded, rejected, abandoned, closed)
//
//   open ─── end ──────> ending-row ─── rowEnded ──> ending-log
//   open ─── leave ────> leaving
//   ending, leaving ──── settle ───> released (ended; abandoned, closed)
//   ending ───────────── giveUp ───> released (closed)
//   open, ending-row ─── reject ───> released (superseded, ended, rejected)
//
// Invariants:
// 1. A released run stays released.
// 2. An end that another process recorded while this run was ending is no failure: an `ENDED` rejection keeps the
//    state and remembers the position.
// 3. Once the row has ended with this run's end, no rejection matters: the process that took the log over appends the
//    terminal event of that row.
import type { ExecstreamError } from '../event/errors.ts';
import type { Position } from '../lifecycle/end-execution.ts';

/**
 * - `open`: accepts events.
 * - `ending`: the end is being recorded.
 * - `ended`: the end is recorded, by this run or by another process.
 * - `superseded`: another attempt or publisher has the execution.
 * - `rejected`: the execution could not begin, or the row or the log rejected this run for another reason.
 * - `abandoned`: this attempt gave up, and another one will follow.
 * - `closed`: the publisher was closed before the run ended.
 */
export type RunState = 'open' | 'ending' | 'ended' | 'superseded' | 'rejected' | 'abandoned' | 'closed';

/** How a run stops without an end. */
export type LeaveReason = 'abandoned' | 'closed';

export interface Open {
  readonly kind: 'open';
}

export interface Ending {
  readonly kind: 'ending-row' | 'ending-log';
  /** The position of a terminal event that another process has appended. */
  readonly endedAt?: Position;
}

export interface Leaving {
  readonly kind: 'leaving';
  readonly reason: LeaveReason;
}

export interface Released {
  readonly kind: 'released';
  readonly state: Exclude<RunState, 'open' | 'ending'>;
  /** The rejection that ended the run, if one did. */
  readonly rejection?: ExecstreamError;
}

export type RunPhase = Open | Ending | Leaving | Released;

export const OPEN: RunPhase = { kind: 'open' };

/** The state as the public API shows it. */
export function runStateOf(phase: RunPhase): RunState {
  switch (phase.kind) {
    case 'open':
      return 'open';
    case 'leaving':
      return phase.reason;
    case 'released':
      return phase.state;
    default:
      return 'ending';
  }
}

/** Where another process has recorded the end, if the log reported it. */
export function endedAtOf(phase: RunPhase): Position | undefined {
  return isEnding(phase) ? phase.endedAt : undefined;
}

/** `complete()` or `fail()` was called. */
export function end(phase: RunPhase): RunPhase {
  return phase.kind === 'open' ? { kind: 'ending-row' } : phase;
}

/** The row has this run's end. */
export function rowEnded(phase: RunPhase): RunPhase {
  return phase.kind === 'ending-row' ? { ...phase, kind: 'ending-log' } : phase;
}

/** The run was abandoned, or its publisher closed. */
export function leave(phase: RunPhase, reason: LeaveReason): RunPhase {
  return phase.kind === 'open' ? { kind: 'leaving', reason } : phase;
}

/** The work of ending or leaving is over. */
export function settle(phase: RunPhase): RunPhase {
  if (phase.kind === 'leaving') return { kind: 'released', state: phase.reason };
  return isEnding(phase) ? { kind: 'released', state: 'ended' } : phase;
}

/** The publisher was closed before the end was recorded. */
export function giveUp(phase: RunPhase): RunPhase {
  return isEnding(phase) ? { kind: 'released', state: 'closed' } : phase;
}

/**
 * The row or the log rejected this run permanently.
 * @param endedAt where the log has its terminal event, if that is the reason
 */
export function reject(phase: RunPhase, rejection: ExecstreamError, endedAt?: Position): RunPhase {
  const isEnd = rejection.code === 'ENDED';
  if (isEnding(phase) && isEnd) {
    return endedAt && !phase.endedAt ? { ...phase, endedAt } : phase;
  }
  if (phase.kind !== 'open' && phase.kind !== 'ending-row') return phase;
  return { kind: 'released', state: stateAfter(rejection), rejection };
}

/** The state of a run that was rejected. */
export function stateAfter({ code }: ExecstreamError): 'ended' | 'superseded' | 'rejected' {
  if (code === 'ENDED') return 'ended';
  return code === 'SUPERSEDED' ? 'superseded' : 'rejected';
}

function isEnding(phase: RunPhase): phase is Ending {
  return phase.kind === 'ending-row' || phase.kind === 'ending-log';
}
