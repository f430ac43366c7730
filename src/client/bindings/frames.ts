// Animation frames: what a user interface shows changes once per frame, however many events arrive.

/** The longest time without a frame, in ms: browsers draw none while a page is hidden. */
const HIDDEN_MS = 100;
/** The time of a frame where there are none, such as in a terminal. */
const FRAME_MS = 16;

interface Frames {
  requestAnimationFrame?(callback: () => void): number;
  cancelAnimationFrame?(frame: number): void;
}

/** Calls a function once, in the next animation frame. Returns a function that cancels it. */
export function onNextFrame(callback: () => void): () => void {
  // Read for each call: tests, and libraries that imitate a browser, define them late.
  const frames = globalThis as Frames;
  const timer = setTimeout(run, frames.requestAnimationFrame ? HIDDEN_MS : FRAME_MS);
  let frame: number | undefined;
  frame = frames.requestAnimationFrame?.(run);
  function run(): void {
    cancel();
    callback();
  }
  function cancel(): void {
    clearTimeout(timer);
    if (frame !== undefined) frames.cancelAnimationFrame?.(frame);
  }
  return cancel;
}
