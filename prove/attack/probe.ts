// Sends requests at a fixed rate, without waiting for responses, and records their latencies: every request during
// a blocked second measures it (no coordinated omission).
import type { Latency } from './messages.ts';

/** The maximum number of requests in flight. */
const MAX_OUTSTANDING = 200;

export interface Probe {
  start(): void;
  /**
   * Stops sending; resolves once all requests have a response, or after `timeoutMs`, and counts the rest as failed.
   */
  stop(timeoutMs: number): Promise<Latency>;
}

/** @param send resolves with whether the response was as expected. */
export function createProbe(everyMs: number, send: () => Promise<boolean>): Probe {
  const latencies: number[] = [];
  const outstanding = new Map<symbol, number>();
  let failed = 0;
  let timer: NodeJS.Timeout | undefined;
  let wake: (() => void) | undefined;

  async function sendOne(): Promise<void> {
    if (outstanding.size >= MAX_OUTSTANDING) return;
    const key = Symbol();
    const began = performance.now();
    outstanding.set(key, began);
    const isOk = await send();
    if (!outstanding.delete(key)) return;
    latencies.push(performance.now() - began);
    if (!isOk) failed += 1;
    if (outstanding.size === 0) wake?.();
  }

  return {
    start() {
      timer = setInterval(() => void sendOne(), everyMs);
      void sendOne();
    },
    async stop(timeoutMs) {
      clearInterval(timer);
      if (outstanding.size > 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, timeoutMs);
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
