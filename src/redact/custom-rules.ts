// The user's own secrets: literal strings, and patterns of a stated length, as rules.
import { invalidInput } from '../event/errors.ts';
import { LIKELY_UNITS, MAX_TRIGGER_UNITS, NO, type Rule } from './rule.ts';

/** A pattern of the user's own. */
export interface RedactPattern {
  /**
   * What is to be replaced. It sees the text from `maxLength` units before a match to as far behind its beginning,
   * so `^`, `$` and long lookarounds mean nothing. It is run as it is: one that backtracks without bound is slow.
   */
  readonly pattern: RegExp;
  /**
   * UTF-16 code units that a match has at most, with what a lookahead needs. So many are held back once a match may
   * have begun: where the pattern begins with literal text, once that was seen; else always. 1 to 4096.
   */
  readonly maxLength: number;
}

/** A pattern that may begin with anything. */
export interface Window {
  readonly pattern: RegExp;
  readonly maxLength: number;
}

const MAX_LENGTH = 4_096;
const MIN_LITERAL = 4;

/**
 * A literal string. It begins with its first units, and the rest is compared.
 * @throws ExecstreamError `BAD_USER_INPUT` for one too short to be a secret, or too long to be held back.
 */
export function literalRule(literal: string): Rule {
  if (typeof literal !== 'string' || literal.length < MIN_LITERAL || literal.length > MAX_LENGTH) {
    // Never with the literal itself: this ends up in a log.
    throw invalidInput(`a literal to redact must be a string of ${MIN_LITERAL} to ${MAX_LENGTH} code units`);
  }
  const likely = Math.min(LIKELY_UNITS, Math.ceil(literal.length / 2));
  return {
    kind: 'literal',
    triggers: [literal.slice(0, likely)],
    match(text, at, _trigger, isEnd) {
      if (text.startsWith(literal, at)) return { is: 'secret', from: at, to: at + literal.length };
      const rest = text.length - at;
      if (isEnd || rest >= literal.length || !text.endsWith(literal.slice(0, rest))) return NO;
      return { is: 'open', likely: true, from: at };
    },
  };
}

/**
 * A pattern, as a rule where it begins with literal text, else as a window.
 * @throws ExecstreamError `BAD_USER_INPUT`.
 */
export function patternRule({ pattern, maxLength }: RedactPattern): { rule: Rule } | { window: Window } {
  if (!(pattern instanceof RegExp)) throw invalidInput('a pattern to redact must be a RegExp');
  if (!Number.isSafeInteger(maxLength) || maxLength < 1 || maxLength > MAX_LENGTH) {
    throw invalidInput(
      `maxLength of ${pattern} is ${maxLength}; expected an integer from 1 to ${MAX_LENGTH}`,
    );
  }
  const flags = pattern.flags.replace(/[gyd]/g, '');
  const begins = literalPrefix(pattern);
  if (begins === '') return { window: { pattern: new RegExp(pattern.source, `${flags}g`), maxLength } };
  const sticky = new RegExp(pattern.source, `${flags}y`);
  const rule: Rule = {
    kind: 'pattern',
    triggers: [begins],
    match(text, at, trigger, isEnd, isBehindSecret) {
      if (!isEnd && text.length < at + maxLength) {
        const seen = text.length - at - trigger.length;
        const likely = seen >= Math.min(LIKELY_UNITS, Math.ceil((maxLength - trigger.length) / 2));
        return { is: 'open', likely, from: at };
      }
      // Behind a secret it sees nothing before it: `\b` holds there.
      sticky.lastIndex = isBehindSecret ? 0 : at;
      const to = at + (sticky.exec(isBehindSecret ? text.slice(at) : text)?.[0].length ?? 0);
      return to > at ? { is: 'secret', from: at, to } : NO;
    },
  };
  return { rule };
}

/** The literal text that every match begins with; empty where that is not plain to see. */
function literalPrefix({ source, ignoreCase }: RegExp): string {
  if (ignoreCase || source.includes('|')) return '';
  const [literal = ''] = /^(?:[\w \-:/@#%&=,;~!'"<>]|\\[-./:@_~#])*/.exec(source.replace(/^\\b/, ''))!;
  const after = source.replace(/^\\b/, '')[literal.length];
  const plain = literal.replaceAll('\\', '');
  // A quantifier belongs to the last unit.
  const sure = after !== undefined && '?*+{'.includes(after) ? plain.slice(0, -1) : plain;
  return sure.slice(0, MAX_TRIGGER_UNITS);
}
