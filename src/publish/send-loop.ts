// Runs one step at a time. The step after it starts when its delay is over, computed when the previous step finishes or
// when there is new work.
import { type Timer, unref } from '../async/timer.ts';

export interface SendLoopOptions {
  /** The delay of the next step, in ms; undefined while there is nothing to do. */
  delayMs(): number | undefined;
  /** Must not reject. */
  step(): Promise<void>;
}

export interface SendLoop {
  /** Schedules the next step, unless one is scheduled or running. */
  schedule(): void;
  /** Computes the delay of a scheduled step again. */
  reschedule(): void;
  /** Cancels the scheduled step, and schedules none from now on. */
  stop(): void;
}

type LoopState =
  | { readonly kind: 'idle' | 'running' | 'stopped' }
  | { readonly kind: 'scheduled'; readonly timer: Timer };

export function createSendLoop({ delayMs, step }: SendLoopOptions): SendLoop {
  let state: LoopState = { kind: 'idle' };

  function schedule(): void {
    if (state.kind !== 'idle') return;
    const ms = delayMs();
    if (ms === undefined) return;
    state = { kind: 'scheduled', timer: unref(setTimeout(() => void run(), ms)) };
  }

  async function run(): Promise<void> {
    state = { kind: 'running' };
    await step();
    finishStep();
  }

  /** A step may have stopped the loop. */
  function finishStep(): void {
    if (state.kind !== 'running') return;
    state = { kind: 'idle' };
    schedule();
  }

  function cancel(next: 'idle' | 'stopped'): void {
    if (state.kind === 'scheduled') clearTimeout(state.timer);
    state = { kind: next };
  }

  return {
    schedule,
    reschedule() {
      if (state.kind !== 'scheduled') return;
      cancel('idle');
      schedule();
    },
    stop: () => cancel('stopped'),
  };
}
