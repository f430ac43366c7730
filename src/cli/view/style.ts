// Colours and emphasis of a terminal; plain text elsewhere.

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/** A stream that may be a terminal. */
export interface Output {
  readonly isTTY?: boolean;
  hasColors?(): boolean;
}

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

export const PLAIN = createStyle({});

/**
 * The style of an output: without colours unless it is a terminal that has them and NO_COLOR is not set.
 * @param isAllowed false: `--no-color`
 */
export function createStyle(output: Output, isAllowed = true): Style {
  const hasColors = isAllowed && output.isTTY === true && output.hasColors?.() === true;
  const entries = Object.entries(CODES).map(([name, [on, off]]) => [
    name,
    (text: string) => (hasColors && text !== '' ? `\x1b[${on}m${text}\x1b[${off}m` : text),
  ]);
  return Object.fromEntries(entries) as Style;
}
