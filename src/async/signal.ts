// A doorbell: many rings while nobody waits are one.

export interface Signal {
  set(): void;
  /** Waits for a ring, or so long; one that has rung meanwhile counts. */
  wait(ms: number): Promise<void>;
}

export function createSignal(): Signal {
  let hasRung = false;
  let wake: (() => void) | undefined;
  return {
    set() {
      hasRung = true;
      wake?.();
    },
    wait(ms) {
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          wake = undefined;
          hasRung = false;
          resolve();
        };
        const timer = setTimeout(done, ms);
        timer.unref();
        wake = done;
        if (hasRung) done();
      });
    },
  };
}
