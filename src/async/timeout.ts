// Timeouts. The work itself is not stopped: a result that comes too late is dropped, and so is an error.
import { unref } from './timer.ts';

/** The longest delay that a timer accepts: 24 days. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export interface TimeoutOptions {
  readonly ms: number;
  /** The error to reject with after `ms`. */
  readonly error: () => Error;
  /** Rejects with the signal's reason when it aborts. */
  readonly signal?: AbortSignal;
  /**
   * Whether the timer keeps a process alive that has nothing else to do.
   * @default true
   */
  readonly keepsAlive?: boolean;
}

/**
 * Waits for the result of a call.
 * @throws `error()` after `ms`; the signal's reason when it aborts; what the call throws.
 */
export function withTimeout<T>(call: () => Promise<T>, options: TimeoutOptions): Promise<T> {
  const { ms, error, signal, keepsAlive = true } = options;
  return new Promise<T>((resolve, reject) => {
    const settle = (result: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      result();
    };
    const onAbort = (): void => settle(() => reject(signal!.reason));
    const timer = setTimeout(() => settle(() => reject(error())), ms);
    if (!keepsAlive) unref(timer);
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort);
    // A call that throws synchronously is a rejection as well.
    new Promise<T>((start) => start(call())).then(
      (value) => settle(() => resolve(value)),
      (reason) => settle(() => reject(reason)),
    );
  });
}

/** The value of a promise, or undefined after `ms`. Rejects if the promise does. */
export function resultWithin<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const timedOut = new Error('timeout');
  return withTimeout<T | undefined>(() => promise, { ms, error: () => timedOut }).catch((error) => {
    if (error !== timedOut) throw error;
    return undefined;
  });
}

/**
 * The value of a promise, or undefined after `ms` or when it rejects. Never rejects. Its timer keeps the process alive:
 * a program that waits for the end of its run to be recorded must not exit before that.
 */
export function settleWithin<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  return resultWithin(promise, ms).catch(() => undefined);
}
