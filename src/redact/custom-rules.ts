// Custom secrets as rules: literal strings, and patterns with a maximum length.
import { invalidInput } from '../event/errors.ts';
import { LIKELY_UNITS, MAX_TRIGGER_UNITS, NO_MATCH, type Rule } from './rule.ts';

/** A custom pattern. */
export interface RedactPattern {
  /**
   * The text to replace. The pattern sees a window from `maxLength` code units before a match to `maxLength` after its
   * start, so `^`, `$` and long lookarounds do not work. An expression that backtracks without limit is slow.
   */
  readonly pattern: RegExp;
  /**
   * The longest match, in UTF-16 code units, including what a lookahead needs: 1 to 4096. Text of this length is held
   * back while a match is possible: if the pattern begins with literal text, after that text; otherwise always.
   */
  readonly maxLength: number;
}

/** A pattern that does not begin with literal text. */
export interface Window {
  readonly pattern: RegExp;
  readonly maxLength: number;
}

const MAX_LENGTH = 4_096;
const MIN_LITERAL = 4;

/**
 * The rule for a literal string: its first code units are the trigger, the rest is compared.
 * @throws ExecstreamError `BAD_USER_INPUT` for a string too short to be a secret or too long to be held back.
 */
export function literalRule(literal: string): Rule {
  if (typeof literal !== 'string' || literal.length < MIN_LITERAL || literal.length > MAX_LENGTH) {
    // The message must not contain the literal, because it may be logged.
    throw invalidInput(`literals: expected strings of ${MIN_LITERAL} to ${MAX_LENGTH} code units`);
  }
  const likely = Math.min(LIKELY_UNITS, Math.ceil(literal.length / 2));
  return {
    kind: 'literal',
    triggers: [literal.slice(0, likely)],
    match(text, at, _trigger, isEnd) {
      if (text.startsWith(literal, at)) return { is: 'secret', from: at, to: at + literal.length };
      const rest = text.length - at;
      if (isEnd || rest >= literal.length || !text.endsWith(literal.slice(0, rest))) return NO_MATCH;
      return { is: 'open', likely: true, from: at };
    },
  };
}

/**
 * A rule for a pattern that begins with literal text, or else a window.
 * @throws ExecstreamError `BAD_USER_INPUT`.
 */
export function patternRule({ pattern, maxLength }: RedactPattern): { rule: Rule } | { window: Window } {
  if (!(pattern instanceof RegExp)) throw invalidInput(`patterns: expected a RegExp, got ${typeof pattern}`);
  if (!Number.isSafeInteger(maxLength) || maxLength < 1 || maxLength > MAX_LENGTH) {
    throw invalidInput(
      `maxLength of ${pattern}: expected an integer from 1 to ${MAX_LENGTH}, got ${maxLength}`,
    );
  }
  const flags = pattern.flags.replace(/[gyd]/g, '');
  const prefix = literalPrefix(pattern);
  if (prefix === '') return { window: { pattern: new RegExp(pattern.source, `${flags}g`), maxLength } };
  const sticky = new RegExp(pattern.source, `${flags}y`);
  const rule: Rule = {
    kind: 'pattern',
    triggers: [prefix],
    match(text, at, trigger, isEnd, isAfterSecret) {
      if (!isEnd && text.length < at + maxLength) {
        const units = text.length - at - trigger.length;
        const likely = units >= Math.min(LIKELY_UNITS, Math.ceil((maxLength - trigger.length) / 2));
        return { is: 'open', likely, from: at };
      }
      // After a secret, the pattern sees no text before the match, so that `\b` matches.
      sticky.lastIndex = isAfterSecret ? 0 : at;
      const to = at + (sticky.exec(isAfterSecret ? text.slice(at) : text)?.[0].length ?? 0);
      return to > at ? { is: 'secret', from: at, to } : NO_MATCH;
    },
  };
  return { rule };
}

/** The literal text that every match begins with; empty if that cannot be determined simply. */
function literalPrefix({ source, ignoreCase }: RegExp): string {
  if (ignoreCase || source.includes('|')) return '';
  const [literal = ''] = /^(?:[\w \-:/@#%&=,;~!'"<>]|\\[-./:@_~#])*/.exec(source.replace(/^\\b/, ''))!;
  const after = source.replace(/^\\b/, '')[literal.length];
  const plain = literal.replaceAll('\\', '');
  // A quantifier applies to the last code unit, which may then be absent.
  const certain = after !== undefined && '?*+{'.includes(after) ? plain.slice(0, -1) : plain;
  return certain.slice(0, MAX_TRIGGER_UNITS);
}
