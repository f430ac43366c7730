// Patterns that match executions by id: an id, or a prefix of ids followed by `*`. An id that ends in `*` has a backslash
// before it.
import { MAX_EXECUTION_ID_BYTES } from '../event/execution-id.ts';
import { isStorable, utf8Bytes } from '../event/text.ts';

export interface IdPatterns {
  readonly exact: readonly string[];
  /** Without their `*`; the empty prefix matches every id. */
  readonly prefixes: readonly string[];
}

/** The limit of a pattern: the longest id, and a backslash. */
export const MAX_PATTERN_LENGTH = MAX_EXECUTION_ID_BYTES + 1;

const ESCAPED = /\\\*$/;

/** The pattern that matches this id alone. */
export function patternFor(id: string): string {
  return id.endsWith('*') ? `${id.slice(0, -1)}\\*` : id;
}

/** Splits patterns by kind. Patterns that cannot match an execution id are left out. */
export function parseIdPatterns(patterns: readonly string[]): IdPatterns {
  const exact: string[] = [];
  const prefixes: string[] = [];
  for (const pattern of patterns) {
    const { text, isPrefix } = parse(pattern);
    if (utf8Bytes(text) > MAX_EXECUTION_ID_BYTES || !isStorable(text)) continue;
    (isPrefix ? prefixes : exact).push(text);
  }
  return { exact, prefixes };
}

/** Whether an id matches one of the patterns. */
export function matchesIdPattern(patterns: readonly string[], id: string): boolean {
  return patterns.some((pattern) => {
    const { text, isPrefix } = parse(pattern);
    return isPrefix ? id.startsWith(text) : id === text;
  });
}

function parse(pattern: string): { text: string; isPrefix: boolean } {
  if (!pattern.endsWith('*')) return { text: pattern, isPrefix: false };
  if (ESCAPED.test(pattern)) return { text: pattern.replace(ESCAPED, '*'), isPrefix: false };
  return { text: pattern.slice(0, -1), isPrefix: true };
}
