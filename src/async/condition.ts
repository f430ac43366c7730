// A condition variable with a timeout.
import { unref } from './timer.ts';

export interface Condition {
  /**
   * Waits until a predicate holds.
   * @returns true once it holds; false after `ms`, or when the condition is closed. Never rejects.
   */
  wait(holds: () => boolean, ms: number): Promise<boolean>;
  /** Something has changed: every wait checks its predicate. */
  notify(): void;
  /** Ends every wait, now and later. */
  close(): void;
}

export function createCondition(): Condition {
  const checks = new Set<() => void>();
  let isClosed = false;
  const notify = (): void => {
    for (const check of [...checks]) check();
  };
  return {
    wait(holds, ms) {
      if (holds() || isClosed) return Promise.resolve(holds());
      return new Promise((resolve) => {
        const settle = (): void => {
          clearTimeout(timer);
          checks.delete(check);
          resolve(holds());
        };
        const check = (): void => {
          if (holds() || isClosed) settle();
        };
        const timer = setTimeout(settle, ms);
        unref(timer);
        checks.add(check);
      });
    },
    notify,
    close() {
      isClosed = true;
      notify();
    },
  };
}
