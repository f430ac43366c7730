// Extracts the prose of a file: comments and string literals of source code, paragraphs of a document.
export interface Prose {
  readonly kind: 'comment' | 'string' | 'paragraph' | 'code';
  /** On one line, without comment markers and URLs. */
  readonly text: string;
  /** The line in the file of an index in `text`, from 1. */
  lineAt(index: number): number;
}

interface Piece {
  readonly kind: Prose['kind'];
  readonly text: string;
  /** Offset in the file. */
  readonly at: number;
}

const STRINGS = String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\x60(?:\\.|[^\x60\\])*\x60`;
// After a character that cannot end an operand, a slash starts a regular expression, whose quotes are ignored.
const REGEX = String.raw`(?<=(?:[(,=:[!&|?{};]|=>|\breturn)\s*)/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+/`;
const TOKENS: Readonly<Record<string, RegExp>> = {
  slashes: new RegExp(String.raw`//[^\n]*|/\*[\s\S]*?\*/|${STRINGS}|${REGEX}`, 'g'),
  hash: /#[^\n]*|'[^'\n]*'|"(?:\\.|[^"\\\n])*"/g,
  dashes: new RegExp(String.raw`--[^\n]*|${STRINGS}`, 'g'),
};
const SYNTAX: Readonly<Record<string, string>> = {
  ...{ ts: 'slashes', mjs: 'slashes', cjs: 'slashes', js: 'slashes', prisma: 'slashes' },
  // `.ci/run` is a shell script.
  ...{ py: 'hash', sh: 'hash', run: 'hash', lua: 'dashes', sql: 'dashes' },
};
/** A fenced block; or a heading, a row of a table, an item or a paragraph with its wrapped lines. */
const BLOCKS = /^ *```[\s\S]*?^ *```$|^.+(?:\n(?! *(?:#|\||```|[-*] |\d+\. )).+)*/gm;
const SKIPPED = /https?:\/\/[^\s)'"`]*|\n[ \t]*(?:\/\/\/?|\*|#|--)?[ \t]*/g;

/** The prose of a file; none if its kind is unknown. Consecutive line comments are one comment. */
export function proseOf(path: string, content: string): Prose[] {
  return joinComments(piecesOf(path, content), content).map((piece) => {
    const { text, offsets } = unwrap(piece.text);
    const lineAt = (index: number) => content.slice(0, piece.at + offsets[index]!).split('\n').length;
    return { kind: piece.kind, text, lineAt };
  });
}

function piecesOf(path: string, content: string): Piece[] {
  const extension = path.split(/[./]/).at(-1)!;
  if (extension === 'md') {
    return [...content.matchAll(BLOCKS)].map(({ 0: text, index }) => ({
      kind: /^ *```/.test(text) ? 'code' : 'paragraph',
      text,
      at: index,
    }));
  }
  const tokens = TOKENS[SYNTAX[extension] ?? ''];
  if (!tokens) return [];
  return [...content.matchAll(tokens)].flatMap(({ 0: text, index }): Piece[] => {
    if (/^(\/\/|\/\*|#|--)/.test(text)) return [{ kind: 'comment', text, at: index }];
    return /^['"`]/.test(text) ? [{ kind: 'string', text, at: index }] : [];
  });
}

function joinComments(pieces: readonly Piece[], content: string): Piece[] {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    const end = last ? last.at + last.text.length : 0;
    const areComments = last?.kind === 'comment' && piece.kind === 'comment';
    if (areComments && /^\n[ \t]*$/.test(content.slice(end, piece.at))) {
      joined[joined.length - 1] = { ...last, text: content.slice(last.at, piece.at + piece.text.length) };
    } else joined.push(piece);
  }
  return joined;
}

/** `offsets` leads from each index of the result back to the wrapped text. */
function unwrap(wrapped: string): { text: string; offsets: number[] } {
  const offsets: number[] = [];
  let text = '';
  let from = 0;
  const add = (piece: string, at: number) => {
    for (let i = 0; i < piece.length; i++) offsets.push(at + i);
    text += piece;
  };
  for (const { 0: skipped, index } of wrapped.matchAll(SKIPPED)) {
    add(wrapped.slice(from, index), from);
    add(' ', index);
    from = index + skipped.length;
  }
  add(wrapped.slice(from), from);
  return { text, offsets };
}
