// The token of a client, shared by its streams: one request for a new one at a time, however many streams need it.

/** A token, or a function that obtains one. The function is called again when the token has to be renewed. */
export type TokenSource = string | (() => string | Promise<string>);

export interface Tokens {
  /** Whether `get` can return another token later. */
  readonly canRenew: boolean;
  /**
   * A token that was obtained after this time, in ms since 1970; undefined for a client without tokens.
   * @throws Error the error of the function
   */
  get(after: number): Promise<string | undefined>;
}

/** Streams do not join a request that takes longer than this: it may never return. */
const STUCK_MS = 30_000;

export function createTokens(source: TokenSource | undefined): Tokens {
  if (typeof source !== 'function') return { canRenew: false, get: async () => source };
  let latest: Promise<string> | undefined;
  let startedAt = 0;
  /** Undefined while the latest request is in flight. */
  let obtainedAt: number | undefined;

  return {
    canRenew: true,
    get(after) {
      const now = Date.now();
      const isUsable = obtainedAt === undefined ? now - startedAt < STUCK_MS : obtainedAt > after;
      if (latest && isUsable) return latest;
      startedAt = now;
      obtainedAt = undefined;
      const request = (async () => source())();
      latest = request;
      const settle = (at: number) => {
        if (latest === request) obtainedAt = at;
      };
      // A request that has failed is not used again.
      request.then(
        () => settle(Date.now()),
        () => settle(Number.NEGATIVE_INFINITY),
      );
      return request;
    },
  };
}
