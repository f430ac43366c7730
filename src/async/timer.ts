// Timers of any runtime: an object in Node, a number in browsers and edge runtimes.

export type Timer = ReturnType<typeof setTimeout>;

/** Lets a process exit although the timer is pending; without effect where timers keep nothing alive. */
export function unref(timer: Timer): Timer {
  (timer as Partial<Timer>).unref?.();
  return timer;
}
