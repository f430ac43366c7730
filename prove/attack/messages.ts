// The messages between the run, the victim's process and the attacker's process.

/** The settings of both processes, as JSON in their first argument. */
export interface AttackTarget {
  readonly url: string;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Signs the JWTs of both tenants. */
  readonly sharedKey: string;
}

export interface AttackerSettings extends AttackTarget {
  readonly attackId: string;
  readonly seconds: number;
}

/** `measure`: start measuring. `report`: stop, and send the results without waiting for a dead server. */
export type ToVictim = { readonly do: 'measure' } | { readonly do: 'report'; readonly isServerDead: boolean };

export type FromVictim = { readonly is: 'ready' } | { readonly is: 'measured'; readonly measured: Measured };

export type ToAttacker = { readonly do: 'attack' };

export type FromAttacker =
  | { readonly is: 'ready' }
  | { readonly is: 'failed'; readonly why: string }
  | {
      readonly is: 'done';
      /** Responses by status, or by error (`timeout`, `ECONNRESET`). */
      readonly responses: Readonly<Record<string, number>>;
      /** The problems that the attack itself found, one sentence each. */
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
  /** Failed calls by status and code. */
  readonly rejections: Readonly<Record<string, number>>;
  readonly stream: {
    readonly received: number;
    readonly expected: number;
    /** The longest time without an event. */
    readonly longestPauseMs: number;
    readonly reconnects: number;
  };
  /** The victim's own longest event-loop delay, by which its measurements can be off. */
  readonly ownDelayMs: number;
}
