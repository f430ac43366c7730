// Keeps executions from ending while the run destroys data: nobody can resend the events of an execution that has
// ended.

export interface Gate {
  /** Blocks `enter`; calls `onQuiet` once everything inside has left. */
  hold(onQuiet: () => void): void;
  release(): void;
  /** Waits until the gate is open. Returns a function to call when leaving. */
  enter(): Promise<() => void>;
}

export function createGate(): Gate {
  let inside = 0;
  let isHeld = false;
  let onQuiet: (() => void) | undefined;
  const waiting = new Set<() => void>();

  function notifyIfQuiet(): void {
    if (!isHeld || inside > 0) return;
    onQuiet?.();
    onQuiet = undefined;
  }

  return {
    hold(quiet) {
      isHeld = true;
      onQuiet = quiet;
      notifyIfQuiet();
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
        notifyIfQuiet();
      };
    },
  };
}
