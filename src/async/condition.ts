// Waiting, within a bound, for something that another part will bring about and tell of.

export interface Condition {
  /** Resolves true when it holds; false when the time (ms) is over or the waiting was ended. Never rejects. */
  wait(holds: () => boolean, ms: number): Promise<boolean>;
  /** Something has changed: every wait looks again. */
  notify(): void;
  /** Ends every wait, now and later. */
  close(): void;
}

export function createCondition(): Condition {
  const looks = new Set<() => void>();
  let isOver = false;
  const look = (): void => {
    for (const each of [...looks]) each();
  };
  return {
    wait(holds, ms) {
      if (holds() || isOver) return Promise.resolve(holds());
      return new Promise((resolve) => {
        const settle = (): void => {
          clearTimeout(timer);
          looks.delete(lookAgain);
          resolve(holds());
        };
        const lookAgain = (): void => {
          if (holds() || isOver) settle();
        };
        const timer = setTimeout(settle, ms);
        timer.unref();
        looks.add(lookAgain);
      });
    },
    notify: look,
    close() {
      isOver = true;
      look();
    },
  };
}

/**
 * What a promise resolves to, or undefined after `ms` or where it rejects. Never rejects. Its timer keeps the
 * process alive, unlike all others here: these are the waits of begin and end, and a program that waits for its
 * end to be recorded must not exit in the middle of it.
 */
export function settleWithin<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), ms);
    const settle = (value: T | undefined): void => {
      clearTimeout(timer);
      resolve(value);
    };
    promise.then(settle, () => settle(undefined));
  });
}

/** The longest time that a timer takes: 24 days. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
