// Redaction as a publisher is told of it, and as one run uses it: for its text, its values, its events and its logs.
import type { JsonValue } from '../event/events.ts';
import type { Logger } from '../telemetry/logger.ts';
import { BUILT_IN } from './built-in.ts';
import { compileRules, type Rules } from './compile.ts';
import { literalRule, patternRule, type RedactPattern, type Window } from './custom-rules.ts';
import { createRedactingLogger } from './logger.ts';
import { mapStrings } from './map-strings.ts';
import type { RedactionKind, Rule } from './rule.ts';
import { createScanner, type Scanner } from './scanner.ts';

/** What is redacted besides the secrets that are known by their looks. */
export interface RedactOptions {
  readonly patterns?: readonly RedactPattern[];
  /** Secrets that the worker knows, such as its own keys: 4 to 4096 code units each. */
  readonly literals?: readonly string[];
}

/** How many secrets were replaced, by kind. */
export type RedactionCounts = { readonly [kind in RedactionKind]?: number };

/** One run's redaction. */
export interface Redaction {
  /** Its text, in pieces. */
  readonly text: Scanner;
  readonly counts: RedactionCounts;
  /** A string that is whole. */
  string(text: string): string;
  /** A value of which every string is whole. */
  json<T>(value: T): T;
  /**
   * A value whose strings may yet grow: what to show of it now, without the end of a string that may be the
   * beginning of a secret, and what to show of it if it stays as it is.
   */
  partialJson(value: JsonValue): { visible: JsonValue; complete: JsonValue };
  logger(logger: Logger): Logger;
}

/**
 * Reads the options once for all runs.
 * @returns what makes each run's redaction.
 * @throws ExecstreamError `BAD_USER_INPUT`.
 */
export function createRedactor(options: false | RedactOptions = {}): () => Redaction {
  if (options === false) return () => NONE;
  const rules: Rule[] = [...BUILT_IN];
  const windows: Window[] = [];
  for (const literal of options.literals ?? []) rules.push(literalRule(literal));
  for (const pattern of options.patterns ?? []) {
    const made = patternRule(pattern);
    if ('rule' in made) rules.push(made.rule);
    else windows.push(made.window);
  }
  const compiled = compileRules(rules, windows);
  return () => createRedaction(compiled);
}

type Counts = { [kind in RedactionKind]?: number };

function createRedaction(rules: Rules): Redaction {
  const said: Counts = {};
  /** The most in one value: values repeat what was in the ones before. */
  const inValues: Counts = {};
  const count = (counts: Counts) => (kind: RedactionKind) => {
    counts[kind] = (counts[kind] ?? 0) + 1;
  };
  const plain = (text: string): boolean => {
    rules.trigger.lastIndex = 0;
    return rules.windows.length === 0 && !rules.trigger.test(text);
  };

  /** A string, whole or growing. A name that gives its value away is looked at with it, and is not part of it. */
  function scan(text: string, name: string | undefined, counts: Counts, isWhole: boolean): string {
    const before = name !== undefined && GIVES_AWAY.test(name) ? `${name}="` : '';
    const all = before + text;
    if (plain(all)) return text;
    const scanner = createScanner(rules, count(counts));
    const out = scanner.add(all) + (isWhole ? scanner.end() : scanner.pause(''));
    return out.startsWith(before) ? out.slice(before.length) : out;
  }

  const map = <T>(value: T, counts: Counts, isWhole: boolean): T =>
    mapStrings(value as JsonValue, (text, name, isKey) => scan(text, name, counts, isWhole || isKey)) as T;

  const json = <T>(value: T): T => map(value, said, true);
  const string = (text: string): string => scan(text, undefined, said, true);
  return {
    text: createScanner(rules, count(said)),
    get counts() {
      const kinds = new Set([...Object.keys(said), ...Object.keys(inValues)] as RedactionKind[]);
      return Object.fromEntries([...kinds].map((kind) => [kind, (said[kind] ?? 0) + (inValues[kind] ?? 0)]));
    },
    string,
    json,
    partialJson(value) {
      const counts: Counts = {};
      const complete = map(value, counts, true);
      for (const [kind, count] of Object.entries(counts) as [RedactionKind, number][]) {
        inValues[kind] = Math.max(inValues[kind] ?? 0, count);
      }
      return { visible: map(value, {}, false), complete };
    },
    logger: (logger) => createRedactingLogger(logger, (text) => scan(text, undefined, {}, true)),
  };
}

/** A name that makes a secret of a value that looks like nothing. */
const GIVES_AWAY = /secret[ _-]?access[ _-]?key|aws_secret_key/i;

const AS_IT_IS: Scanner = { add: (text) => text, pause: () => '', end: () => '' };

const NONE: Redaction = {
  text: AS_IT_IS,
  counts: {},
  string: (text) => text,
  json: (value) => value,
  partialJson: (value) => ({ visible: value, complete: value }),
  logger: (logger) => logger,
};
