// Integers in JSON text that JavaScript's numbers cannot hold: JSON.parse returns 9007199254740992 for 9007199254740993,
// without an error. JSON from outside is therefore checked before it is parsed.
import type { JsonValue } from './events.ts';

/** An integer whose digits JSON.parse would change. */
export interface InexactInteger {
  /** Names of members and indices of elements, outermost first. */
  readonly path: readonly string[];
  /** As it was written. */
  readonly text: string;
  /** Where it begins in the JSON. */
  readonly index: number;
}

/** A number with enough digits or with an exponent; most JSON has none, and is not scanned. */
const SUSPECT = /\d{16}|\d[eE]/;

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[{}[\],]/g;

/** The first integer of a valid JSON text that JSON.parse would change. */
export function findInexactInteger(json: string): InexactInteger | undefined {
  return SUSPECT.test(json) ? inexactIntegers(json).next().value : undefined;
}

/**
 * Parses JSON that cannot be rejected any more. An integer that JavaScript cannot hold becomes a string of its digits.
 * @throws SyntaxError
 */
export function parseExactly(json: string): JsonValue {
  if (!SUSPECT.test(json)) return JSON.parse(json);
  let exact = '';
  let end = 0;
  for (const { text, index } of inexactIntegers(json)) {
    exact += `${json.slice(end, index)}"${text}"`;
    end = index + text.length;
  }
  return JSON.parse(exact + json.slice(end));
}

function* inexactIntegers(json: string): Generator<InexactInteger, undefined> {
  /** The containers around the token, each with the key or index of its current member. */
  const path: (string | number)[] = [];
  let expectsKey = false;
  for (const { 0: token, index } of json.matchAll(TOKEN)) {
    const last = path.length - 1;
    if (token === '{' || token === '[') {
      path.push(token === '{' ? '' : 0);
      expectsKey = token === '{';
    } else if (token === '}' || token === ']') {
      path.pop();
      expectsKey = false;
    } else if (token === ',') {
      const at = path[last];
      if (typeof at === 'number') path[last] = at + 1;
      expectsKey = typeof at === 'string';
    } else if (token.startsWith('"')) {
      if (expectsKey) path[last] = token;
      expectsKey = false;
    } else if (isInexact(token)) {
      yield { path: path.map(nameOf), text: token, index };
    }
  }
}

/** Keys are parsed only for an error. */
function nameOf(at: string | number): string {
  return typeof at === 'number' ? String(at) : JSON.parse(at);
}

/** Whether a number is an integer that has other digits once it was parsed, or is out of range. */
function isInexact(token: string): boolean {
  const number = Number(token);
  if (Number.isSafeInteger(number)) return false;
  if (!Number.isFinite(number)) return true;
  const written = decimalOf(token);
  const read = decimalOf(String(number));
  return written.exponent >= 0 && (written.digits !== read.digits || written.exponent !== read.exponent);
}

/** A number as digits without leading and trailing zeros, times a power of ten. */
function decimalOf(token: string): { readonly digits: string; readonly exponent: number } {
  const [mantissa = '', exponent = '0'] = token.toLowerCase().replace('-', '').split('e');
  const [integer = '', fraction = ''] = mantissa.split('.');
  const all = (integer + fraction).replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  return { digits, exponent: Number(exponent) - fraction.length + all.length - digits.length };
}
