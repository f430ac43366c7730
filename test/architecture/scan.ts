// Parses the imports of a TypeScript file with regular expressions, because TypeScript 7 has no stable API.

/** One import of a file. */
export interface Import {
  /** As written: './cursor.ts', 'zod', 'node:crypto'. */
  specifier: string;
  /** Whether it is `import type` or `export type`, which is erased at run time. */
  typeOnly: boolean;
}

// `import …from 'x'`, `export …from 'x'`, `import 'x'` at the start of a statement. The text between the keyword
// and `from` has no quote, semicolon, equals sign or parenthesis, so that no match extends into the next statement.
const STATIC =
  /(?:^|[;}])\s*(import|export)\b(\s+type\b(?!\s*(?:,|from\b)))?(?:[^'"`;=()]*?\bfrom)?\s*(['"])([^'"\n]+)\3/gm;
// `import('x')`: at run time, or as a type (`import('x').Y`), which cannot be distinguished and counts as the
// former.
const DYNAMIC = /\bimport\s*\(\s*(['"`])([^'"`\n$]+)\1/g;

/** The imports of a file: static imports, re-exports, and dynamic imports with a literal specifier. */
export function importsOf(source: string): Import[] {
  const code = withoutComments(source);
  const fixed = [...code.matchAll(STATIC)].map((match) => ({
    specifier: match[4]!,
    typeOnly: match[2] !== undefined,
  }));
  const dynamic = [...code.matchAll(DYNAMIC)].map((match) => ({ specifier: match[2]!, typeOnly: false }));
  return [...fixed, ...dynamic];
}

/** The file with its comments replaced by spaces; line numbers stay the same. */
export function withoutComments(source: string): string {
  return source.replace(TOKEN, (token) => {
    return token.startsWith('//') || token.startsWith('/*') ? token.replace(/[^\n]/g, ' ') : token;
  });
}

// Also matches tokens that can contain the start of a comment, to skip them: strings, templates, and regular
// expressions (a slash after a character that cannot end a value).
const TOKEN = new RegExp(
  [
    /\/\/[^\n]*/,
    /\/\*[\s\S]*?\*\//,
    /'(?:\\.|[^'\\\n])*'/,
    /"(?:\\.|[^"\\\n])*"/,
    /`(?:\\[\s\S]|[^`\\])*`/,
    /(?<=(?:[(,=:[!&|?{};+]|=>|\breturn)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\//,
  ]
    .map((part) => part.source)
    .join('|'),
  'g',
);
