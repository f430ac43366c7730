// Distinguishes keys from words and identifiers: where a word begins, and whether its letters look generated. Without
// this, `desk-01J9Z3K5…` would contain a key that begins with `sk-`.

/** A letter or digit directly before a key belongs to the same word. Scripts without spaces between words are left out. */
const WORD_UNIT = /[\p{Script=Latin}\d]|[\u0300-\u036f]/u;

/** The end of an escape sequence that ends in a letter or digit: of JSON, of a URL, or of a terminal's colours. */
const ESCAPE = new RegExp(
  [
    String.raw`\\[bfnrtv]`,
    String.raw`\\u00[0-7][\da-f]`,
    // Of ASCII characters that are not letters or digits: `%de` in `LIKE '%desk-1'` is not one.
    '%(?:0[9ad]|2[\\da-f]|3[a-f]|[46]0|5[b-e]|7[b-e])',
    String.raw`[[;]\d{1,3}m`,
    // Written by grep after each colour.
    String.raw`\[K`,
  ]
    .map((source) => `${source}$`)
    .join('|'),
  'i',
);

/** Code units before a position that `isInWord` examines. More would make the scanner slower. */
export const WORD_CONTEXT_UNITS = 6;

/** Whether a position is inside a word. */
export function isInWord(text: string, at: number): boolean {
  if (at === 0 || !WORD_UNIT.test(text[at - 1]!)) return false;
  return !ESCAPE.test(text.slice(Math.max(0, at - WORD_CONTEXT_UNITS), at));
}

/** Code units of a run that are enough to recognise generated letters. */
export const SAMPLE_UNITS = 64;

type UnitClass = 'lower' | 'upper' | 'digit' | 'other';

/**
 * Whether letters and digits look generated rather than written. If so, they do with any text appended, too. Names are
 * composed of words, abbreviations and numbers: `Release2024` has two such parts, `sha256sum` three.
 * @param text up to SAMPLE_UNITS
 */
export function looksGenerated(text: string): boolean {
  let before: UnitClass = 'other';
  /** Units of the current run of letters and digits, and of its current part. */
  let run = 0;
  let part = 0;
  let hasDigit = false;
  /** Places where one part follows another directly. */
  let joints = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = classOf(text.charCodeAt(at));
    const continuesPart = unit === before || (unit === 'lower' && before === 'upper' && part === 1);
    if (unit === 'other' || before === 'other') [run, part, hasDigit] = [0, 0, false];
    else if (!continuesPart) [part, joints] = [0, joints + 1];
    before = unit;
    if (unit === 'other') continue;
    run += 1;
    part += 1;
    hasDigit ||= unit === 'digit';
    if ((run >= 16 && hasDigit) || part >= 20 || joints >= 6) return true;
  }
  return false;
}

function classOf(code: number): UnitClass {
  if (code >= 0x61 && code <= 0x7a) return 'lower';
  if (code >= 0x41 && code <= 0x5a) return 'upper';
  return code >= 0x30 && code <= 0x39 ? 'digit' : 'other';
}
