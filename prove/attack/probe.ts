// Sends requests at a steady rate, whether earlier ones were answered or not, and keeps their latencies: a server that
// is blocked for a second is then measured by every request of that second.
import type { Latency } from './messages.ts';

/** Requests that may be unanswered at a time. */
const MAX_OUTSTANDING = 200;

export interface Probe {
  start(): void;
  /** Sends no more; resolves when all are answered, at the latest after `withinMs`, and counts the others as failed. */
  stop(withinMs: number): Promise<Latency>;
}

/** @param send resolves with whether the request was answered as it should be. */
export function createProbe(everyMs: number, send: () => Promise<boolean>): Probe {
  const latencies: number[] = [];
  const outstanding = new Map<symbol, number>();
  let failed = 0;
  let timer: NodeJS.Timeout | undefined;
  let wake: (() => void) | undefined;

  async function sendOne(): Promise<void> {
    if (outstanding.size >= MAX_OUTSTANDING) return;
    const mark = Symbol();
    const began = performance.now();
    outstanding.set(mark, began);
    const isWell = await send();
    if (!outstanding.delete(mark)) return;
    latencies.push(performance.now() - began);
    if (!isWell) failed += 1;
    if (outstanding.size === 0) wake?.();
  }

  return {
    start() {
      timer = setInterval(() => void sendOne(), everyMs);
      void sendOne();
    },
    async stop(withinMs) {
      clearInterval(timer);
      if (outstanding.size > 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, withinMs);
        });
      }
      for (const began of outstanding.values()) {
        latencies.push(performance.now() - began);
        failed += 1;
      }
      outstanding.clear();
      latencies.sort((a, b) => a - b);
      return {
        count: latencies.length,
        failed,
        p99Ms: Math.round(latencies[Math.ceil(latencies.length * 0.99) - 1] ?? 0),
        maxMs: Math.round(latencies.at(-1) ?? 0),
      };
    },
  };
}
