// The key of `await using`, also in runtimes that do not have it yet: bundlers look for this symbol there.

export const ASYNC_DISPOSE: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose);
