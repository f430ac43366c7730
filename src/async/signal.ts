// A coalescing signal (an auto-reset event): several notifications before a wait count as one.
import { unref } from './timer.ts';

export interface Signal {
  set(): void;
  /** Resolves when the signal is set, or after `ms`. A signal that was set before the wait counts. */
  wait(ms: number): Promise<void>;
}

export function createSignal(): Signal {
  let isSet = false;
  let wake: (() => void) | undefined;
  return {
    set() {
      isSet = true;
      wake?.();
    },
    wait(ms) {
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          wake = undefined;
          isSet = false;
          resolve();
        };
        const timer = setTimeout(done, ms);
        unref(timer);
        wake = done;
        if (isSet) done();
      });
    },
  };
}
