// The state machine of a connection. It is pure: the driver (connection.ts) performs what a state requires, and reports
// what happened as an input, together with the time and a random number.
//
//   connecting ── opened ──▶ live
//    ▲  ▲  └─ cut ─┐           │ cut
//    │  └─ cut: 401, once      ▼
//    └──── due ──────────── waiting ◀── hide (from connecting, live and waiting)
//                            └─ wake: due sooner
//
//   cut by a permanent rejection ──▶ failed        end, close ──▶ ended        (both final)
//
// Rules (test/client/connection-state.test.ts)
// 1. Only a permanent rejection fails. Every other cut waits and connects again, forever.
// 2. The delay doubles with each failure. An event resets it, and so does a connection that outlived the longest delay.
// 3. No attempt is made before the time that the server set (`retry:`, `Retry-After`), not even by `wake`.
// 4. A final state never changes.
import { type BackoffPolicy, fullJitter } from '../async/backoff.ts';
import { MAX_TIMER_MS } from '../async/timeout.ts';
import { type ExecstreamError, isExecstreamError } from '../event/errors.ts';

/** The state of a connection, for display. The object is replaced when the state changes. */
export type ConnectionState =
  /** A request was sent, or is about to be. */
  | { readonly status: 'connecting' }
  /** The server has accepted the request. */
  | { readonly status: 'live' }
  /** There is no connection. */
  | {
      readonly status: 'waiting';
      /** Why the last connection ended. */
      readonly reason: string;
      /** When the next attempt is made, in ms since 1970; absent while the page is hidden. */
      readonly retryAt?: number;
    }
  /** Nothing follows: the execution has ended, or `close` was called. */
  | { readonly status: 'ended'; readonly reason?: 'closed' }
  /** The server has rejected the request permanently. */
  | { readonly status: 'failed'; readonly reason: string; readonly error: ExecstreamError };

export interface ConnectionMachine {
  readonly connection: ConnectionState;
  /** Cuts since the last event. */
  readonly failures: number;
  /** The server's `retry:`, in ms. */
  readonly retryMs: number;
  /** The server does not expect an attempt before this time, in ms since 1970. */
  readonly notBefore: number;
  /** When the connection was accepted, in ms since 1970. */
  readonly liveSince: number;
  /** Whether the present attempt repeats one that was rejected with a 401, with a new token. */
  readonly isTokenRenewed: boolean;
}

export type ConnectionInput =
  | { readonly type: 'opened' }
  /** An event has arrived. */
  | { readonly type: 'received' }
  /** The stream contained `retry:`. */
  | { readonly type: 'retry'; readonly ms: number }
  /** The attempt failed, or the connection broke. */
  | { readonly type: 'cut'; readonly error: unknown; readonly canRenewToken?: boolean }
  /** The time of the next attempt may have come. */
  | { readonly type: 'due' }
  /** The page is used again: do not wait for the backoff. */
  | { readonly type: 'wake' }
  /** The page is hidden, and is to have no connection. */
  | { readonly type: 'hide' }
  /** The execution has ended. */
  | { readonly type: 'end' }
  | { readonly type: 'close' };

export interface TransitionContext {
  /** In ms since 1970. */
  readonly now: number;
  /** From 0 to 1. */
  readonly random: number;
  readonly backoff: BackoffPolicy;
}

export const INITIAL_MACHINE: ConnectionMachine = {
  connection: { status: 'connecting' },
  failures: 0,
  retryMs: 0,
  notBefore: 0,
  liveSince: 0,
  isTokenRenewed: false,
};

/** Whether an attempt is in progress, or its connection open. */
export function isOpen({ status }: ConnectionState): boolean {
  return status === 'connecting' || status === 'live';
}

/** Whether the state never changes again. */
export function isFinalState({ status }: ConnectionState): boolean {
  return status === 'ended' || status === 'failed';
}

/** The machine after an input; the same object if nothing changes. */
export function transition(
  machine: ConnectionMachine,
  input: ConnectionInput,
  context: TransitionContext,
): ConnectionMachine {
  const { connection } = machine;
  if (isFinalState(connection)) return machine;
  switch (input.type) {
    case 'opened':
      if (connection.status !== 'connecting') return machine;
      return { ...machine, connection: { status: 'live' }, liveSince: context.now };
    case 'received':
      return { ...machine, failures: 0, isTokenRenewed: false };
    case 'retry':
      return { ...machine, retryMs: input.ms };
    case 'cut':
      return isOpen(connection) ? cut(machine, input, context) : machine;
    case 'due':
      if (connection.status !== 'waiting' || !(connection.retryAt! <= context.now)) return machine;
      return { ...machine, connection: { status: 'connecting' } };
    case 'wake':
      if (connection.status !== 'waiting') return machine;
      return { ...machine, connection: { ...connection, retryAt: Math.max(machine.notBefore, context.now) } };
    case 'hide':
      return { ...machine, connection: { status: 'waiting', reason: 'the page is hidden' } };
    case 'end':
      return { ...machine, connection: { status: 'ended' } };
    case 'close':
      return { ...machine, connection: { status: 'ended', reason: 'closed' } };
  }
}

function cut(
  machine: ConnectionMachine,
  { error, canRenewToken }: ConnectionInput & { type: 'cut' },
  { now, random, backoff }: TransitionContext,
): ConnectionMachine {
  const reason = error instanceof Error ? error.message : String(error);
  let retryAfterMs = 0;
  if (isExecstreamError(error)) {
    if (error.code === 'UNAUTHENTICATED' && canRenewToken && !machine.isTokenRenewed)
      return { ...machine, connection: { status: 'connecting' }, isTokenRenewed: true };
    // The next attempt may reach a server without the fault.
    if (!error.retryable && error.code !== 'INTERNAL')
      return { ...machine, connection: { status: 'failed', reason, error } };
    retryAfterMs = (error.retryAfterSeconds ?? 0) * 1_000;
  }
  const wasLong = machine.connection.status === 'live' && now - machine.liveSince > backoff.maxMs;
  const failures = wasLong ? 1 : machine.failures + 1;
  // A timer fires immediately if its delay is longer than it can be.
  const notBefore = now + Math.min(Math.max(machine.retryMs, retryAfterMs), MAX_TIMER_MS / 2);
  const retryAt = notBefore + fullJitter(backoff, failures, random);
  return {
    ...machine,
    connection: { status: 'waiting', reason, retryAt },
    failures,
    notBefore,
    isTokenRenewed: false,
  };
}
