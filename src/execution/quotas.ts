// Quotas: how often per second one caller may make requests of each kind. Streams have separate limits
// (tail/stream-admission.ts).
import { TokenBuckets } from '../async/token-bucket.ts';
import { ExecstreamError } from '../event/errors.ts';
import { ANONYMOUS, type Caller, callerKey } from './permission.ts';

/** Requests of one caller per second, by kind. */
export interface QuotaLimits {
  /** GraphQL queries and mutations, and the REST requests that run one. */
  readonly queries: number;
  /** Executions and attempts that begin over HTTP. */
  readonly begins: number;
  /** Batches of events published over HTTP. */
  readonly batches: number;
  readonly streamTokens: number;
  /** Reservations of GraphQL over SSE's single connection mode. */
  readonly reservations: number;
}

export type Quota = keyof QuotaLimits;

export const DEFAULT_QUOTAS: QuotaLimits = {
  queries: 200,
  begins: 100,
  batches: 2_000,
  streamTokens: 20,
  reservations: 10,
};

/** A caller that was idle may use the quota of this many seconds in one burst. */
const BURST_SECONDS = 5;

const NAMES: { readonly [Q in Quota]: string } = {
  queries: 'queries',
  begins: 'begun executions',
  batches: 'batches',
  streamTokens: 'new stream tokens',
  reservations: 'reservations',
};

export interface Quotas {
  /**
   * Counts a request against its caller's quota. While authentication is off, callers cannot be distinguished and
   * nothing is counted.
   * @throws ExecstreamError `TOO_MANY_REQUESTS`, with the seconds until the quota allows the next request
   */
  charge(caller: Caller, quota: Quota): void;
  /** Takes a charge back: the request turned out to be of another kind. */
  refund(caller: Caller, quota: Quota): void;
}

/** Creates the quotas of one server process. */
export function createQuotas(limits: Partial<QuotaLimits> = {}): Quotas {
  const all = Object.entries({ ...DEFAULT_QUOTAS, ...limits }).map(([quota, perSecond]) => {
    const buckets = new TokenBuckets({ perSecond, burst: Math.max(1, perSecond * BURST_SECONDS) });
    return [quota, { perSecond, buckets }] as const;
  });
  const byQuota = Object.fromEntries(all) as Record<Quota, (typeof all)[number][1]>;
  return {
    charge(caller, quota) {
      if (caller === ANONYMOUS) return;
      const { perSecond, buckets } = byQuota[quota];
      const waitMs = buckets.take(callerKey(caller));
      if (waitMs === 0) return;
      throw new ExecstreamError(
        'TOO_MANY_REQUESTS',
        `too many ${NAMES[quota]}: the limit is ${perSecond} per second for one caller`,
        { retryAfterSeconds: Math.ceil(waitMs / 1_000) },
      );
    },
    refund(caller, quota) {
      if (caller !== ANONYMOUS) byQuota[quota].buckets.giveBack(callerKey(caller));
    },
  };
}
