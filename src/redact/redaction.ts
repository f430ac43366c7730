// Redaction for publishers: the options, and what one run uses for its text, values, events and log lines.
import type { JsonValue } from '../event/events.ts';
import type { Logger } from '../telemetry/logger.ts';
import { BUILT_IN } from './built-in.ts';
import { compileRules, type Rules } from './compile.ts';
import { literalRule, patternRule, type RedactPattern, type Window } from './custom-rules.ts';
import { isIdentifier } from './identifiers.ts';
import { createRedactingLogger } from './logger.ts';
import { mapStrings } from './map-strings.ts';
import type { RedactionKind, Rule } from './rule.ts';
import { createScanner, type Scanner } from './scanner.ts';

/** Secrets to redact in addition to the built-in kinds. */
export interface RedactOptions {
  /**
   * Patterns of secrets.
   * @default []
   */
  readonly patterns?: readonly RedactPattern[];
  /**
   * Secrets that the worker knows, such as its own keys: 4 to 4096 UTF-16 code units each.
   * @default []
   */
  readonly literals?: readonly string[];
}

/** The number of replaced secrets, by kind. */
export type RedactionCounts = { readonly [kind in RedactionKind]?: number };

/** The redaction of one run. */
export interface Redaction {
  /** Redacts the run's text, which arrives in pieces. */
  readonly text: Scanner;
  readonly counts: RedactionCounts;
  /** Redacts a complete string. */
  string(text: string): string;
  /** Redacts a value whose strings are complete. */
  json<T>(value: T): T;
  /** Redacts the data of an event, whose strings are complete; its identifiers stay. */
  eventData<T extends object>(data: T): T;
  /**
   * Redacts a value whose strings may still grow.
   * @returns `visible`: the value without the end of a string that may be the beginning of a secret; `complete`: the
   *   value if it does not grow any more.
   */
  partialJson(value: JsonValue): { visible: JsonValue; complete: JsonValue };
  logger(logger: Logger): Logger;
}

/**
 * Compiles the options, once for all runs.
 * @returns a function that creates the redaction of a run.
 * @throws ExecstreamError `BAD_USER_INPUT` for an invalid literal or pattern.
 */
export function createRedactor(options: false | RedactOptions = {}): () => Redaction {
  if (options === false) return () => NO_REDACTION;
  const rules: Rule[] = [...BUILT_IN];
  const windows: Window[] = [];
  for (const literal of options.literals ?? []) rules.push(literalRule(literal));
  for (const pattern of options.patterns ?? []) {
    const custom = patternRule(pattern);
    if ('rule' in custom) rules.push(custom.rule);
    else windows.push(custom.window);
  }
  const compiled = compileRules(rules, windows);
  return () => createRedaction(compiled);
}

type Counts = { [kind in RedactionKind]?: number };

function createRedaction(rules: Rules): Redaction {
  /** In text and events. */
  const inEvents: Counts = {};
  /** The highest count of a single value, because each value repeats the previous one. */
  const inValues: Counts = {};
  const counter = (counts: Counts) => (kind: RedactionKind) => {
    counts[kind] = (counts[kind] ?? 0) + 1;
  };
  const hasNoTrigger = (text: string): boolean => {
    rules.trigger.lastIndex = 0;
    return rules.windows.length === 0 && !rules.trigger.test(text);
  };

  /** Redacts a string. A name that identifies its value as a secret is scanned with it, and then removed. */
  function scan(text: string, name: string | undefined, counts: Counts, isComplete: boolean): string {
    const before = name !== undefined && SECRET_NAME.test(name) ? `${name}="` : '';
    const all = before + text;
    if (hasNoTrigger(all)) return text;
    const scanner = createScanner(rules, counter(counts));
    const out = scanner.add(all) + (isComplete ? scanner.end() : scanner.pause(''));
    return out.startsWith(before) ? out.slice(before.length) : out;
  }

  const map = <T>(value: T, counts: Counts, isComplete: boolean): T =>
    mapStrings(value as JsonValue, (text, name, isKey) => scan(text, name, counts, isComplete || isKey)) as T;

  const json = <T>(value: T): T => map(value, inEvents, true);
  const eventData = <T extends object>(data: T): T => {
    const redacted = Object.entries(data).map(([name, value]) => [
      name,
      isIdentifier(name) ? value : json(value),
    ]);
    return Object.fromEntries(redacted) as T;
  };
  const string = (text: string): string => scan(text, undefined, inEvents, true);
  return {
    text: createScanner(rules, counter(inEvents)),
    get counts() {
      const kinds = new Set([...Object.keys(inEvents), ...Object.keys(inValues)] as RedactionKind[]);
      return Object.fromEntries(
        [...kinds].map((kind) => [kind, (inEvents[kind] ?? 0) + (inValues[kind] ?? 0)]),
      );
    },
    string,
    json,
    eventData,
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

/** Names of members whose value is a secret although its format is not recognisable. */
const SECRET_NAME = /secret[ _-]?access[ _-]?key|aws_secret_key/i;

const PASS_THROUGH: Scanner = { add: (text) => text, pause: () => '', end: () => '' };

const NO_REDACTION: Redaction = {
  text: PASS_THROUGH,
  counts: {},
  string: (text) => text,
  json: (value) => value,
  eventData: (data) => data,
  partialJson: (value) => ({ visible: value, complete: value }),
  logger: (logger) => logger,
};
