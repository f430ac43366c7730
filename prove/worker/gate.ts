// Holds ends back while the run destroys data: an ended execution that nobody publishes any more cannot be made good.

export interface Gate {
  /** Held: nothing enters any more, and `onQuiet` is called once all that had entered has left. */
  hold(onQuiet: () => void): void;
  release(): void;
  /** Waits until ends may pass; answers what is to be called once this one is over. */
  enter(): Promise<() => void>;
}

export function createGate(): Gate {
  let inside = 0;
  let isHeld = false;
  let onQuiet: (() => void) | undefined;
  const waiting = new Set<() => void>();

  function look(): void {
    if (!isHeld || inside > 0) return;
    onQuiet?.();
    onQuiet = undefined;
  }

  return {
    hold(quiet) {
      isHeld = true;
      onQuiet = quiet;
      look();
    },
    release() {
      isHeld = false;
      for (const wake of waiting) wake();
      waiting.clear();
    },
    async enter() {
      while (isHeld) await new Promise<void>((resolve) => waiting.add(resolve));
      inside += 1;
      return () => {
        inside -= 1;
        look();
      };
    },
  };
}
