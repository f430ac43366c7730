// Work under the lease of an execution, which is renewed while the work runs.
import type { Leases } from '../../coordination/lease.ts';

export interface LeaseOptions {
  readonly log: Pick<Leases, 'takeLease' | 'renewLease' | 'dropLease'>;
  readonly executionId: string;
  /** Names the holder. */
  readonly holder: string;
  /** How long the lease is valid without a renewal. It is renewed three times as often. */
  readonly leaseMs: number;
  /** The note to leave with each renewal, for those that wait for the lease. */
  readonly note: () => string | undefined;
  readonly signal: AbortSignal;
}

/** Work with a fencing token; the signal aborts when the lease is lost. */
export type LeasedWork<T> = (fence: number, signal: AbortSignal) => Promise<T>;

/** Runs the work; `not-held` if another holder has the lease. */
export async function withLease<T>(options: LeaseOptions, work: LeasedWork<T>): Promise<T | 'not-held'> {
  const { log, executionId, holder, leaseMs, note, signal } = options;
  const fence = await log.takeLease(executionId, holder, leaseMs);
  if (fence === undefined) return 'not-held';
  const lost = new AbortController();
  const timer = setInterval(() => {
    // If a renewal fails, the lease may still be held; the log decides by the token.
    const renewed = log.renewLease(executionId, fence, leaseMs, note()).catch(() => true);
    void renewed.then((isHeld) => isHeld || lost.abort());
  }, leaseMs / 3);
  timer.unref();
  try {
    return await work(fence, AbortSignal.any([signal, lost.signal]));
  } finally {
    clearInterval(timer);
    if (!lost.signal.aborted) await log.dropLease(executionId, fence).catch(() => {});
  }
}
