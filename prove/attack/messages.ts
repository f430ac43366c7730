// What the run, the victim's process and the attacker's process send to each other.

/** Both processes are started with this, as JSON in their first argument. */
export interface Ground {
  readonly url: string;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Signs the JWTs of both tenants. */
  readonly sharedKey: string;
}

export interface AttackerSettings extends Ground {
  readonly attackId: string;
  readonly seconds: number;
}

/** `measure`: start measuring. `report`: stop, and send what was measured; a dead server is not waited for. */
export type ToVictim = { readonly do: 'measure' } | { readonly do: 'report'; readonly isServerDead: boolean };

export type FromVictim = { readonly is: 'ready' } | { readonly is: 'measured'; readonly measured: Measured };

export type ToAttacker = { readonly do: 'attack' };

export type FromAttacker =
  | { readonly is: 'ready' }
  | { readonly is: 'failed'; readonly why: string }
  | {
      readonly is: 'done';
      /** Responses by status, or by what happened instead (`timeout`, `ECONNRESET`). */
      readonly answers: Readonly<Record<string, number>>;
      /** What the attack itself found wrong, one sentence each. */
      readonly findings: readonly string[];
    };

export interface Latency {
  readonly count: number;
  readonly failed: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What the victim experienced while the attack ran. */
export interface Measured {
  /** `/health/live`. */
  readonly live: Latency;
  /** Queries, stream tokens and reservations of another tenant; `failed` counts responses other than 2xx. */
  readonly calls: Latency;
  /** What failed calls were answered with. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly stream: {
    readonly received: number;
    readonly expected: number;
    /** The longest time without an event. */
    readonly longestPauseMs: number;
    readonly reconnects: number;
  };
  /** The victim's own longest event-loop delay: how far its measurements can be trusted. */
  readonly ownDelayMs: number;
}
