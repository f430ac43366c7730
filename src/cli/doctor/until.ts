// Waits for a condition by polling: the checks observe several streams, and a few milliseconds do not matter.
import { delay } from '../../async/delay.ts';

const POLL_MS = 10;

/** Resolves when the condition holds or the time is over. */
export async function until(condition: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition() && performance.now() < deadline) await delay(POLL_MS, undefined, true);
}
