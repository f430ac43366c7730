// The states of an outbox: whether this attempt has the log open, and how many calls have failed. States are immutable:
// a transition returns the next state, or the given one if it does not apply. outbox.ts performs the calls.
//
//   OutboxState
//   ├── waiting          the attempt is not known yet; events queue
//   ├── sending
//   │   ├── opening      this attempt has not opened the log
//   │   ├── appending    the log is open at `position`
//   │   └── reopening    the log was lost after `position`
//   └── stopped          sends nothing more
//
//   waiting ─── start ───> opening ─── opened ──> appending
//   appending ─ appended > appending ─ lost ────> reopening ─ opened ──> appending
//   sending ─── failed ──> the same state, one failure more
//   any ─────── stop ────> stopped
//
// Invariants:
// 1. A stopped outbox stays stopped.
// 2. `position` is the last event that the log acknowledged, in the epoch of the log that was opened last. An
//    acknowledged event is never appended to that epoch again.
// 3. A call that succeeds ends the backoff, except for a log that was lost and reappears with the same epoch.
import type { Position } from '../lifecycle/end-execution.ts';

/** The consecutive calls that failed. */
export interface Failures {
  readonly count: number;
  readonly lastError: unknown;
}

export interface Waiting {
  readonly kind: 'waiting';
}

export interface Opening {
  readonly kind: 'opening';
  readonly attempt: number;
  readonly failures: Failures;
}

export interface Appending {
  readonly kind: 'appending';
  readonly attempt: number;
  readonly failures: Failures;
  readonly position: Position;
}

export interface Reopening {
  readonly kind: 'reopening';
  readonly attempt: number;
  readonly failures: Failures;
  /** The last acknowledged event of the log that was lost. */
  readonly position: Position;
}

export interface Stopped {
  readonly kind: 'stopped';
}

export type SendingState = Opening | Appending | Reopening;
export type OutboxState = Waiting | SendingState | Stopped;

export const WAITING: OutboxState = { kind: 'waiting' };
const STOPPED: OutboxState = { kind: 'stopped' };
const NO_FAILURES: Failures = { count: 0, lastError: undefined };

/** The attempt has begun. */
export function start(state: OutboxState, attempt: number): OutboxState {
  return state.kind === 'waiting' ? { kind: 'opening', attempt, failures: NO_FAILURES } : state;
}

/** The log was opened; `head` is its last event. */
export function opened(state: OutboxState, head: Position): OutboxState {
  if (state.kind !== 'opening' && state.kind !== 'reopening') return state;
  const { attempt } = state;
  if (state.kind === 'reopening' && state.position.epoch === head.epoch)
    return { ...state, kind: 'appending' };
  return { kind: 'appending', attempt, position: head, failures: NO_FAILURES };
}

/** The log acknowledged events up to `seq`. */
export function appended(state: OutboxState, seq: number): OutboxState {
  if (state.kind !== 'appending') return state;
  return { ...state, position: { epoch: state.position.epoch, seq }, failures: NO_FAILURES };
}

/** The log reported that it is another epoch, or shorter than what it had acknowledged. */
export function lost(state: OutboxState): OutboxState {
  return state.kind === 'appending' ? { ...state, kind: 'reopening', failures: NO_FAILURES } : state;
}

/** A call failed or timed out. */
export function failed(state: OutboxState, error: unknown): OutboxState {
  if (!isSending(state)) return state;
  return { ...state, failures: { count: state.failures.count + 1, lastError: error } };
}

export function stop(state: OutboxState): OutboxState {
  return state.kind === 'stopped' ? state : STOPPED;
}

export function isSending(state: OutboxState): state is SendingState {
  return state.kind !== 'waiting' && state.kind !== 'stopped';
}

export function failuresOf(state: OutboxState): Failures {
  return isSending(state) ? state.failures : NO_FAILURES;
}

/** The last event that the log acknowledged; undefined until the log is open, and once stopped. */
export function positionOf(state: OutboxState): Position | undefined {
  return state.kind === 'appending' || state.kind === 'reopening' ? state.position : undefined;
}
