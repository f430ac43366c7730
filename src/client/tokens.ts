// The token of a client, shared by its streams: one request for a new one at a time, however many streams need it.

/** A token, or a function that obtains one. The function is called again when the token has to be renewed. */
export type TokenSource = string | (() => string | Promise<string>);

export interface Tokens {
  /** Whether `get` can return another token later. */
  readonly canRenew: boolean;
  /**
   * A token that was obtained after a time, and is another one than the server has rejected; undefined for a client without
   * tokens.
   * @param after in ms since 1970
   * @throws Error the error of the function
   */
  get(after: number, rejected?: string): Promise<string | undefined>;
}

/** Streams do not join a request that takes longer than this: it may never return. */
const STUCK_MS = 30_000;

export function createTokens(source: TokenSource | undefined): Tokens {
  if (typeof source !== 'function') {
    return { canRenew: false, get: async () => source };
  }
  const call = source;
  let latest: Promise<string> | undefined;
  /** The token of the latest request that succeeded. */
  let token: string | undefined;
  let startedAt = 0;
  /** Undefined while the latest request is in flight. */
  let obtainedAt: number | undefined;

  function obtain(): Promise<string> {
    startedAt = Date.now();
    obtainedAt = undefined;
    const request = (async () => call())();
    latest = request;
    request.then(
      (obtained) => {
        if (latest !== request) return;
        token = obtained;
        obtainedAt = Date.now();
      },
      () => {
        // A request that has failed is not used again.
        if (latest === request) latest = undefined;
      },
    );
    return request;
  }

  return {
    canRenew: true,
    get(after, rejected) {
      const isUsable =
        obtainedAt === undefined
          ? Date.now() - startedAt < STUCK_MS
          : obtainedAt > after && token !== rejected;
      return (isUsable && latest) || obtain();
    },
  };
}
