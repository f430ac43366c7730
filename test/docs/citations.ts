// Finds citations of documents, sections, decisions, invariants and files, and says which of them lead nowhere.
import { dirname, join } from 'node:path';
import { lineOf, type TextPart, textOf } from '../../scripts/source-text.ts';

/** Contents by path, relative to the repository. */
export type Files = ReadonlyMap<string, string>;

export interface Citation {
  /** `<path>:<line>` of the citing text. */
  readonly where: string;
  readonly cited: string;
}

/** Documents that examples and tests create, and placeholders in instructions. */
const CREATED = new Set(['a.md', 'b.md', 'report.md', 'digest.md']);
/** What nobody can look up here: tickets, and documents by loose names. */
const LOOSE =
  /\bissues? \d+|\bissue, ?|\bthe issue(?:'s| has| says)|\bMust show\b|\b(?:protocol|docs)(?:,|'s) ?"[^"]*"|\bevent path, invariants?/g;
const DOCUMENT =
  /(?<![\w./-])((?:\.\.?\/)*[\w-]+(?:\/[\w.-]+)*\.md)((?:, "[^"]+")+|, [A-Z][\w ]*?(?=[:'`")]|, invariant))?/g;
const INVARIANT = /ARCHITECTURE\.md, invariants? (\d+(?:(?:, | and )\d+)*)/g;
const DECISION = /\bdecisions?[ /](\d{1,4})\b/g;
const FILE =
  /(?<![\w./-])(?:src|test|scripts|prove|bench|examples|docs|prisma)\/[\w./-]*\.(?:[mc]?[jt]s|lua|py|sql|prisma|html)\b/g;
const SKIPPED = /https?:\/\/[^\s)'"`]*|\n[ \t]*(?:\/\/|\*|#|--)?[ \t]*/g;
const LINK = /\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]*))?\)/g;

/** Every citation of something that does not exist. */
export function absentCitations(files: Files): Citation[] {
  return [...files].flatMap(([path, content]) => {
    // Released changes keep the names of their time.
    if (path === 'CHANGELOG.md') return [];
    const found = joinComments(textOf(path, content)).flatMap((part) => [
      ...absentIn(part, path, files),
      ...(part.kind === 'document' ? absentLinks(part, path, files) : []),
    ]);
    return found.map(({ at, cited }) => ({ where: `${path}:${lineOf(content, at)}`, cited }));
  });
}

type Found = { readonly at: number; readonly cited: string };

function absentIn(part: TextPart, path: string, files: Files): Found[] {
  const { text, offsets } = unwrap(part.text);
  const find = (pattern: RegExp, isAbsent: (match: RegExpExecArray) => boolean): Found[] =>
    [...text.matchAll(pattern)]
      .filter(isAbsent)
      .map((match) => ({ at: part.at + offsets[match.index]!, cited: match[0] }));
  const isFile = (cited: string) => part.kind !== 'string' && !resolve(cited, path, files);
  return [
    ...find(LOOSE, () => true),
    ...find(DOCUMENT, ([, name, sections]) => {
      const document = resolve(name!, path, files);
      if (document === undefined) return !CREATED.has(name!);
      const known = headingsOf(files.get(document)!);
      return sectionsOf(sections).some((section) => !known.includes(section));
    }),
    ...find(INVARIANT, ([, numbers]) =>
      numbers!.match(/\d+/g)!.some((n) => !files.get('ARCHITECTURE.md')?.includes(`\n${n}. **`)),
    ),
    ...find(DECISION, ([, number]) => !isDecision(number!, files)),
    ...(path.startsWith('docs/decisions/')
      ? find(/(?<!\+)\b(0\d{3})\b/g, ([, number]) => !isDecision(number!, files))
      : []),
    ...find(FILE, ([cited]) => isFile(cited)),
  ];
}

function absentLinks(part: TextPart, path: string, files: Files): Found[] {
  return [...part.text.matchAll(LINK)].flatMap(({ 0: cited, 1: target, 2: anchor, index }) => {
    const file = target === '' ? path : join(dirname(path), target!).replace(/\/$/, '');
    const isThere = files.has(file) || [...files.keys()].some((each) => each.startsWith(`${file}/`));
    const isAnchor = anchor === undefined || anchorsOf(files.get(file) ?? '').includes(anchor);
    return isThere && isAnchor ? [] : [{ at: part.at + index, cited }];
  });
}

/** Relative to the citing file or to the repository. */
function resolve(name: string, path: string, files: Files): string | undefined {
  return [join(dirname(path), name), name].find((candidate) => files.has(candidate));
}

function sectionsOf(sections: string | undefined): string[] {
  const text = sections?.slice(2) ?? '';
  if (text.startsWith('"')) return [...text.matchAll(/"([^"]+)"/g)].map(([, section]) => section!);
  return text === '' ? [] : text.split(' and ');
}

function headingsOf(document: string): string[] {
  return [...document.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title!);
}

function anchorsOf(document: string): string[] {
  return headingsOf(document).map((title) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

function isDecision(number: string, files: Files): boolean {
  const prefix = `docs/decisions/${number.padStart(4, '0')}-`;
  return [...files.keys()].some((path) => path.startsWith(prefix));
}

/** Line comments that follow one another are read as one text, since citations are wrapped. */
function joinComments(parts: readonly TextPart[]): TextPart[] {
  const joined: TextPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    const gap = last ? part.at - last.at - last.text.length : 0;
    const isNext =
      last?.kind === 'comment' && part.kind === 'comment' && gap < 40 && !last.text.endsWith('*/');
    if (isNext)
      joined[joined.length - 1] = { ...last, text: `${last.text}\n${' '.repeat(gap - 1)}${part.text}` };
    else joined.push(part);
  }
  return joined;
}

/** The text on one line, without URLs and comment markers; `offsets` leads back to the text as it was. */
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
