// Patterns that match executions by id: an id, or a prefix of ids followed by `*`.

const ID_CHARACTERS = /^[A-Za-z0-9._:~@+/-]{0,200}$/;

export interface IdPatterns {
  readonly exact: readonly string[];
  /** Without their `*`; the empty prefix matches every id. */
  readonly prefixes: readonly string[];
}

/** Splits patterns by kind. Patterns that cannot match an execution id are left out. */
export function parseIdPatterns(patterns: readonly string[]): IdPatterns {
  const possible = patterns.filter((pattern) => ID_CHARACTERS.test(withoutStar(pattern)));
  return {
    exact: possible.filter((pattern) => !pattern.endsWith('*')),
    prefixes: possible.filter((pattern) => pattern.endsWith('*')).map(withoutStar),
  };
}

/** Whether an id matches one of the patterns. */
export function matchesIdPattern(patterns: readonly string[], id: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? id.startsWith(withoutStar(pattern)) : pattern === id,
  );
}

function withoutStar(pattern: string): string {
  return pattern.endsWith('*') ? pattern.slice(0, -1) : pattern;
}
