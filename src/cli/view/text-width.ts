// The width of text in a terminal: how many columns it takes, where it wraps, and where it is cut.
import { stripVTControlCharacters } from 'node:util';

const ASCII = /^[ -~]*$/;
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}])/u;
const EMPTY = /^[\p{M}\p{Cf}]+$/u;

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The number of columns that a text without line breaks takes. */
export function widthOf(text: string): number {
  // Escape sequences of colours take no columns.
  const bare = stripVTControlCharacters(text);
  if (ASCII.test(bare)) return bare.length;
  let width = 0;
  for (const { segment } of segmenter.segment(bare)) width += widthOfCharacter(segment);
  return width;
}

function widthOfCharacter(character: string): number {
  if (WIDE.test(character) || character.includes('\ufe0f')) return 2;
  return EMPTY.test(character) ? 0 : 1;
}

/** The start of a plain text that fits, with an ellipsis if something was cut. */
export function truncateToWidth(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  return `${splitAt(text, Math.max(0, columns - 1))[0]}…`;
}

/** Splits a plain line into rows that fit, at spaces where possible. The last row may still grow. */
export function wrapRows(line: string, columns: number): string[] {
  const rows: string[] = [];
  let rest = line;
  while (widthOf(rest) > columns) {
    const [fitting] = splitAt(rest, columns);
    const space = fitting.lastIndexOf(' ');
    // A space that follows the row is where it ends.
    const isWordEnd = rest[fitting.length] === ' ';
    const end = isWordEnd || space <= 0 ? fitting.length : space + 1;
    rows.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(isWordEnd ? end + 1 : end);
  }
  return [...rows, rest];
}

/** Splits before the first character that does not fit; at least one character is in the first part. */
function splitAt(text: string, columns: number): [string, string] {
  let width = 0;
  for (const { segment, index } of segmenter.segment(text)) {
    width += widthOfCharacter(segment);
    if (width > columns && index > 0) return [text.slice(0, index), text.slice(index)];
  }
  return [text, ''];
}

const TABS = /\t/g;
/** Controls but for line feeds, and characters that reorder or hide text. */
const CONTROLS = /(?!\n)[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Replaces what would control the terminal: the text of an execution may contain anything. Line feeds stay, tabs become
 * spaces.
 */
export function sanitize(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(TABS, '    ').replace(CONTROLS, '\ufffd');
}

/** As `sanitize`, for one line. */
export function sanitizeLine(text: string): string {
  return sanitize(text).replace(/\s*\n\s*/g, ' ');
}
