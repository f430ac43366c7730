// Finds citations of documents, sections, decisions, invariants and files, and says which of them lead nowhere.
import { dirname, join } from 'node:path';
import { type Prose, proseOf } from '../../scripts/source-text.ts';

/** Contents by path, relative to the repository. */
export type Files = ReadonlyMap<string, string>;

export interface Citation {
  /** `<path>:<line>` of the citing text. */
  readonly where: string;
  readonly cited: string;
}

/** Documents that examples and tests create, and placeholders in instructions. */
const CREATED = new Set(['a.md', 'b.md', 'report.md', 'digest.md']);
/** Citations that a reader cannot resolve: tickets, and documents by loose names. */
const LOOSE =
  /\bissues? \d+|\bissue, ?|\bthe issue(?:'s| has| says)|\bMust show\b|\b(?:protocol|docs)(?:,|'s) ?"[^"]*"|\bevent path, invariants?/g;
const DOCUMENT =
  /(?<![\w./-])((?:\.\.?\/)*[\w-]+(?:\/[\w.-]+)*\.md)((?:, "[^"]+")+|, [A-Z][\w ]*?(?=[:'`")]|, invariant))?/g;
const INVARIANT = /ARCHITECTURE\.md, invariants? (\d+(?:(?:, | and )\d+)*)/g;
const DECISION = /\bdecisions?[ /](\d{1,4})\b/g;
/** Decisions cite one another by number alone. */
const RECORD = /(?<!\+)\b(0\d{3})\b/g;
const FILE =
  /(?<![\w./-])(?:src|test|scripts|prove|bench|examples|docs|prisma)\/[\w./-]*\.(?:[mc]?[jt]s|lua|py|sql|prisma|html)\b/g;
const LINK = /\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]*))?\)/g;

/** Every citation of something that does not exist. */
export function absentCitations(files: Files): Citation[] {
  return [...files].flatMap(([path, content]) => {
    // Released changes keep the names of their time.
    if (path === 'CHANGELOG.md') return [];
    const found = proseOf(path, content).flatMap((prose) => [
      ...absentIn(prose, path, files).map(({ at, cited }) => ({ line: prose.lineAt(at), cited })),
      ...(prose.kind === 'paragraph' ? absentLinks(prose, path, files) : []),
    ]);
    return found.map(({ line, cited }) => ({ where: `${path}:${line}`, cited }));
  });
}

function absentIn({ kind, text }: Prose, path: string, files: Files): { at: number; cited: string }[] {
  const find = (pattern: RegExp, isAbsent: (match: RegExpExecArray) => boolean) =>
    [...text.matchAll(pattern)].filter(isAbsent).map(({ 0: cited, index }) => ({ at: index, cited }));
  // A path in a string is checked by the code that uses it.
  const isGone = (cited: string) => kind !== 'string' && resolve(cited, path, files) === undefined;
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
    ...(path.startsWith('docs/decisions/') ? find(RECORD, ([, number]) => !isDecision(number!, files)) : []),
    ...find(FILE, ([cited]) => isGone(cited)),
  ];
}

function absentLinks({ text, lineAt }: Prose, path: string, files: Files): { line: number; cited: string }[] {
  return [...text.matchAll(LINK)].flatMap(({ 0: cited, 1: target, 2: anchor, index }) => {
    const file = target === '' ? path : join(dirname(path), target!).replace(/\/$/, '');
    const isThere = files.has(file) || [...files.keys()].some((each) => each.startsWith(`${file}/`));
    const isAnchor = anchor === undefined || anchorsOf(files.get(file) ?? '').includes(anchor);
    return isThere && isAnchor ? [] : [{ line: lineAt(index), cited }];
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
