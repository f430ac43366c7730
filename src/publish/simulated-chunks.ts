// A text that is whole already, cut into pieces to be read as if it grew: where to cut, and at what pace.
import { invalidInput } from '../event/errors.ts';

export interface SimulatedTextOptions {
  /** UTF-16 code units of a piece, at most; default 200. */
  readonly units?: number;
  /** Time between two pieces; default 0: at once, as fast as there is room. */
  readonly paceMs?: number;
  /** Pieces at most; a longer text has larger ones. Default 100, so that a pace bounds the time. */
  readonly maxPieces?: number;
}

/** Cuts behind a line break where one is near the end of a piece, else behind white space, else anywhere. */
const LINE_END = /^.*(?:\r\n|\n|\r(?!\n))/s;
const WORD_END = /^.*\s/s;

/**
 * Cuts a text into pieces of readable size: joined, they are the text; none ends inside a surrogate pair or CRLF.
 * @throws ExecstreamError `BAD_USER_INPUT` for options that are not positive integers.
 */
export function splitIntoChunks(
  text: string,
  { units = 200, maxPieces = 100 }: SimulatedTextOptions = {},
): string[] {
  for (const [name, value] of Object.entries({ units, maxPieces })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw invalidInput(`${name} is ${value}; expected an integer from 1`);
  }
  const pieces: string[] = [];
  let at = 0;
  while (at < text.length) {
    // What is left, in as many pieces as are left: cutting early must not make more of them.
    const least = Math.ceil((text.length - at) / (maxPieces - pieces.length));
    const most = Math.max(units, least, 2);
    const end =
      pieces.length === maxPieces - 1 ? text.length : at + cut(text.slice(at, at + most + 1), most, least);
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}

/** How much of `text`, of `most` units and one more where there is one, makes a piece of `least` units or more. */
function cut(text: string, most: number, least: number): number {
  if (text.length <= most) return text.length;
  const enough = Math.max(least, Math.ceil(most / 2));
  for (const ending of [LINE_END, WORD_END]) {
    const units = ending.exec(text.slice(0, most))?.[0].length ?? 0;
    if (units >= enough && !isInside(text, units)) return units;
  }
  return isInside(text, most) ? most - 1 : most;
}

/** Whether a place lies inside a surrogate pair or a CRLF. */
function isInside(text: string, at: number): boolean {
  return /^(?:[\ud800-\udbff][\udc00-\udfff]|\r\n)$/.test(text.slice(at - 1, at + 1));
}
