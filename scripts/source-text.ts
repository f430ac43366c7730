// What people read in a file: comments and string literals of source code, or all of a document.
export interface TextPart {
  readonly kind: 'comment' | 'string' | 'document';
  readonly text: string;
  /** Offset of the text in its file. */
  readonly at: number;
}

const STRINGS = String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\x60(?:\\.|[^\x60\\])*\x60`;
// After a character that ends no operand, a slash begins a regular expression, in which quotes mean nothing.
const REGEX = String.raw`(?<=(?:[(,=:[!&|?{};]|=>|\breturn)\s*)/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+/`;
const TOKENS: Readonly<Record<string, RegExp>> = {
  ts: new RegExp(String.raw`//[^\n]*|/\*[\s\S]*?\*/|${STRINGS}|${REGEX}`, 'g'),
  hash: /#[^\n]*|'[^'\n]*'|"(?:\\.|[^"\\\n])*"/g,
  lua: new RegExp(String.raw`--[^\n]*|${STRINGS}`, 'g'),
};
const LANGUAGES: Readonly<Record<string, string>> = {
  ...{ ts: 'ts', mjs: 'ts', cjs: 'ts', js: 'ts', prisma: 'ts' },
  ...{ py: 'hash', sh: 'hash', run: 'hash', lua: 'lua', sql: 'lua' },
};

/** The parts of a file by its name; none if its kind is unknown. Consecutive line comments are one part each. */
export function textOf(path: string, content: string): TextPart[] {
  const extension = path.split(/[./]/).at(-1)!;
  if (extension === 'md') return [{ kind: 'document', text: content, at: 0 }];
  const tokens = TOKENS[LANGUAGES[extension] ?? ''];
  if (!tokens) return [];
  return [...content.matchAll(tokens)].flatMap(({ 0: text, index: at }): TextPart[] => {
    if (/^(\/\/|\/\*|#|--)/.test(text)) return [{ kind: 'comment', text, at }];
    return /^['"`]/.test(text) ? [{ kind: 'string', text, at }] : [];
  });
}

/** The line of an offset, from 1. */
export function lineOf(content: string, at: number): number {
  return content.slice(0, at).split('\n').length;
}
