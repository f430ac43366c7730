// Every citation in the repository refers to something that exists.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { absentCitations } from './citations.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Files whose test cases cite things that do not exist. */
const THIS_FILE = 'test/docs/citations.test.ts';

function filesOfRepository(): Map<string, string> {
  const options = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const paths = execFileSync('git', options, { cwd: ROOT, encoding: 'utf8' }).split('\0');
  const present = paths.filter((path) => path !== '' && path !== THIS_FILE && existsSync(join(ROOT, path)));
  return new Map([
    [THIS_FILE, ''],
    ...present.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')] as const),
  ]);
}

test('every document, section, decision, invariant and file that is cited exists', () => {
  const files = filesOfRepository();
  expect([...files.keys()]).toEqual(expect.arrayContaining(['PROTOCOL.md', 'src/index.ts', '.ci/run']));
  expect(absentCitations(files).map(({ where, cited }) => `${where}: ${cited}`)).toEqual([]);
});

describe('a citation', () => {
  const documents: [string, string][] = [
    ['PROTOCOL.md', '# Protocol\n\n## Cursors\n\n## Redis and so on\n'],
    [
      'ARCHITECTURE.md',
      '## Invariants\n\n1. **A log has no gaps.**\n2. **Append and announcement are one.**\n',
    ],
    ['docs/redis.md', '# Redis\n\n## Over HTTP\n'],
    ['docs/decisions/0013-redis.md', '# 0013'],
    ['src/log/log.ts', ''],
  ];
  const absent = (path: string, content: string) =>
    absentCitations(new Map([...documents, [path, content]])).map(({ where, cited }) => `${where}: ${cited}`);

  test.each([
    ['a document', '// See PROTOCOL.md and docs/redis.md.'],
    ['a section', '// (PROTOCOL.md, "Cursors", "Redis and so on")'],
    ['a section whose name is wrapped', '// (PROTOCOL.md, "Redis\n// and so on")'],
    ['a section in a title', `test('PROTOCOL.md, Cursors: one', f);`],
    ['an invariant', '/** ARCHITECTURE.md, invariants 1 and 2. */'],
    ['a decision', '// decision 13, decision 0013, docs/decisions/0013'],
    ['a file', '// src/log/log.ts'],
    ['a URL', '// https://example.org/docs/PROTOCOL.md, and GitHub issues in general'],
    ['a path that a test creates', `write('src/gone.ts', 'x');`],
  ])('of %s is accepted', (_, content) => {
    expect(absent('src/a.ts', content)).toEqual([]);
  });

  test.each([
    ['an unknown document', '// as\n// protocol.md says', 'src/a.ts:2: protocol.md'],
    ['an unknown section', '// (PROTOCOL.md, "Cursor")', 'src/a.ts:1: PROTOCOL.md, "Cursor"'],
    [
      'a second unknown section',
      '// PROTOCOL.md, "Cursors", "Events"',
      'src/a.ts:1: PROTOCOL.md, "Cursors", "Events"',
    ],
    [
      'an unknown section in a title',
      `test('PROTOCOL.md, Cursors and Events: x', f);`,
      'src/a.ts:1: PROTOCOL.md, Cursors and Events',
    ],
    ['a document by a loose name', '// (protocol, "Cursors")', 'src/a.ts:1: protocol, "Cursors"'],
    ['a ticket', '// issue 5', 'src/a.ts:1: issue 5'],
    ['a ticket without a number', `describe('issue, Bad input', f);`, 'src/a.ts:1: issue, '],
    [
      'an unknown invariant',
      '// ARCHITECTURE.md, invariants 1 and 3',
      'src/a.ts:1: ARCHITECTURE.md, invariants 1 and 3',
    ],
    ['an unknown decision', '// decision 14', 'src/a.ts:1: decision 14'],
    ['a file that is gone', '// src/log/gone.ts', 'src/a.ts:1: src/log/gone.ts'],
  ])('of %s is reported', (_, content, expected) => {
    expect(absent('src/a.ts', content)).toEqual([expected]);
  });

  test('of a page by a link needs the page and its anchor', () => {
    expect(absent('docs/a.md', '[x](redis.md#over-http) [y](../src/log) [z](#here)\n\n## Here\n')).toEqual(
      [],
    );
    expect(absent('docs/a.md', 'x\n[x](redis.md#over) [z](#here)')).toEqual([
      'docs/a.md:2: ](redis.md#over)',
      'docs/a.md:2: ](#here)',
    ]);
  });
});
