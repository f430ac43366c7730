// Reads the imports of a TypeScript file by its text: TypeScript 7 has no stable API to ask.

/** One import of a file. */
export interface Import {
  /** As written: './cursor.ts', 'zod', 'node:crypto'. */
  specifier: string;
  /** `import type` or `export type`: gone at run time. */
  typeOnly: boolean;
}

// `import …from 'x'`, `export …from 'x'`, `import 'x'` at the start of a statement. What stands between the keyword
// and `from` holds no quote, semicolon, equals sign or parenthesis, so that no match runs into the next statement.
const STATIC =
  /(?:^|[;}])\s*(import|export)\b(\s+type\b(?!\s*(?:,|from\b)))?(?:[^'"`;=()]*?\bfrom)?\s*(['"])([^'"\n]+)\3/gm;
// `import('x')`: at run time, or as a type (`import('x').Y`); the latter cannot be told apart and counts as the former.
const DYNAMIC = /\bimport\s*\(\s*(['"`])([^'"`\n$]+)\1/g;

/** The imports of a file: static, re-exported, and dynamic where the specifier is a literal. */
export function importsOf(source: string): Import[] {
  const code = withoutComments(source);
  const fixed = [...code.matchAll(STATIC)].map((match) => ({
    specifier: match[4]!,
    typeOnly: match[2] !== undefined,
  }));
  const dynamic = [...code.matchAll(DYNAMIC)].map((match) => ({ specifier: match[2]!, typeOnly: false }));
  return [...fixed, ...dynamic];
}

/** The file with its comments replaced by blanks; lines stay where they are. */
export function withoutComments(source: string): string {
  return source.replace(TOKEN, (token) => {
    return token.startsWith('//') || token.startsWith('/*') ? token.replace(/[^\n]/g, ' ') : token;
  });
}

// What can hold the beginning of a comment without being one comes along, so that it is stepped over: strings,
// templates, and regular expressions (a slash after something that no value ends with).
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
