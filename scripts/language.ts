// `npm run language`: finds words to avoid (CONTRIBUTING.md) in comments, documents, messages and test titles.
//
//   npm run language                fails on words that the baseline does not have
//   npm run language -- --update    records fewer words, also after files have moved; never more of any word
//   npm run language -- --summary   words per 10,000 words of comments
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RULES, type Rule } from './language-rules.ts';
import { type Prose, proseOf } from './source-text.ts';

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly rule: Rule;
  readonly kind: Prose['kind'];
  /** As written. */
  readonly found: string;
}

/** Counts by path and word. */
export interface Baseline {
  [path: string]: { [word: string]: number };
}

/** Every word to avoid in a file. */
export function findWords(path: string, content: string): Finding[] {
  return proseToCheck(path, content).flatMap(({ kind, text, lineAt }) =>
    RULES.flatMap((rule) =>
      [...text.matchAll(rule.pattern)].map(({ 0: found, index }) => ({
        path,
        line: lineAt(index),
        rule,
        kind,
        found,
      })),
    ),
  );
}

/** Counts findings, sorted by path and word. */
export function countWords(findings: readonly Finding[]): Baseline {
  const counts: Baseline = {};
  const keyOf = ({ path, rule }: Finding) => `${path} ${rule.word}`;
  for (const { path, rule } of findings.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))) {
    counts[path] ??= {};
    counts[path][rule.word] = (counts[path][rule.word] ?? 0) + 1;
  }
  return counts;
}

/** Findings of a word in a file that has more of them than the baseline. */
export function newFindings(findings: readonly Finding[], baseline: Baseline): Finding[] {
  const counts = countWords(findings);
  return findings.filter(({ path, rule }) => counts[path]![rule.word]! > (baseline[path]?.[rule.word] ?? 0));
}

/** Words of which there are more in all than the baseline has: moving a file raises none. */
export function raisedWords(counts: Baseline, baseline: Baseline): string[] {
  const total = (of: Baseline, word: string) =>
    Object.values(of).reduce((sum, words) => sum + (words[word] ?? 0), 0);
  return RULES.map(({ word }) => word).filter((word) => total(counts, word) > total(baseline, word));
}

function proseToCheck(path: string, content: string): Prose[] {
  return proseOf(path, content).flatMap((prose): Prose[] => {
    if (prose.kind === 'code') return [];
    // A heading may ask a question, and the list of words has to name them.
    if (prose.kind === 'paragraph' && /^#/.test(prose.text)) return [];
    if (path === 'CONTRIBUTING.md' && prose.text.startsWith('|')) return [];
    // Names and data have fewer words than messages, descriptions and titles.
    if (prose.kind === 'string' && !/[a-zA-Z]+ [a-zA-Z]+ [a-zA-Z]/.test(prose.text)) return [];
    const code = prose.kind === 'string' ? /\$\{[^}]*\}/g : /`[^`]*`/g;
    return [{ ...prose, text: prose.text.replace(code, (match) => '_'.repeat(match.length)) }];
  });
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BASELINE = `${ROOT}scripts/language-baseline.json`;
/** Generated or by others, and this check itself. */
const EXCLUDED = /\.gen\.ts$|^test\/support\/json-patch-tests\/|^scripts\/language|^test\/runner\/language/;

function repositoryFiles(): { path: string; content: string }[] {
  const options = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const paths = execFileSync('git', options, { cwd: ROOT, encoding: 'utf8' }).split('\0');
  return paths
    .filter((path) => path !== '' && !EXCLUDED.test(path) && existsSync(ROOT + path))
    .map((path) => ({ path, content: readFileSync(ROOT + path, 'utf8') }));
}

function main(option: string | undefined): number {
  const files = repositoryFiles();
  const findings = files.flatMap(({ path, content }) => findWords(path, content));
  const counts = countWords(findings);
  if (option === '--summary') {
    summarise(files, findings);
    return 0;
  }
  const baseline: Baseline = existsSync(BASELINE) ? JSON.parse(readFileSync(BASELINE, 'utf8')) : counts;
  if (option === '--update') {
    const raised = raisedWords(counts, baseline);
    if (raised.length > 0)
      console.error(`language: more than before of: ${raised.join(', ')}; nothing was recorded`);
    else writeFileSync(BASELINE, `${JSON.stringify(counts, null, 2)}\n`);
    return raised.length > 0 ? 1 : 0;
  }
  const found = newFindings(findings, baseline);
  for (const { path, line, found: word, rule } of found)
    console.error(`${path}:${line}: "${word}": use ${rule.use}`);
  if (found.length === 0) return 0;
  console.error('\nlanguage: new words to avoid (CONTRIBUTING.md, "Words to avoid").');
  console.error('If files have moved or words are gone: npm run language -- --update');
  return 1;
}

function summarise(files: readonly { path: string; content: string }[], findings: readonly Finding[]): void {
  const scopes = [
    {
      name: 'src, comments',
      has: (path: string, kind: string) => kind === 'comment' && path.startsWith('src/'),
    },
    { name: 'all comments', has: (_: string, kind: string) => kind === 'comment' },
    { name: 'documents', has: (_: string, kind: string) => kind === 'paragraph' },
  ];
  const words = scopes.map(({ has }) =>
    files
      .flatMap(({ path, content }) => proseOf(path, content).filter(({ kind }) => has(path, kind)))
      .reduce((sum, { text }) => sum + (text.match(/[A-Za-z][\w'-]*/g)?.length ?? 0), 0),
  );
  console.log(`| per 10,000 words | ${scopes.map(({ name }, i) => `${name} (${words[i]})`).join(' | ')} |`);
  console.log(`| --- |${' --- |'.repeat(scopes.length)}`);
  for (const rule of RULES.filter(({ inSummary }) => inSummary)) {
    const rates = scopes.map(({ has }, i) => {
      const count = findings.filter((each) => each.rule === rule && has(each.path, each.kind)).length;
      return `${((count * 10_000) / words[i]!).toFixed(1)} (${count})`;
    });
    console.log(`| ${rule.word} | ${rates.join(' | ')} |`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv[2]);
