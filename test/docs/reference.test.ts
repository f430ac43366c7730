// The tables of docs/, compared with the code: events, warnings, limits; and every link.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { CATALOGUE, EVENT_TYPES, type EventType } from '../../src/event/events.ts';
import { EVENT_DATA } from '../../src/event/validation.ts';
import { DEFAULT_LIMITS } from '../../src/worker.ts';
import { type Block, blocksOf, ROOT } from './blocks.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The rows of the table whose header starts with these cells. */
function tableOf(path: string, ...heads: string[]): string[][] {
  const lines = read(path).split('\n');
  const at = lines.findIndex((line) => line.startsWith(`| ${heads.join(' | ')} |`));
  if (at < 0) throw new Error(`${path} has no table ${heads.join(', ')}`);
  const end = lines.findIndex((line, i) => i > at && !line.startsWith('|'));
  return lines.slice(at + 2, end).map((line) => line.slice(2, -2).split(' | '));
}

const bare = (cell: string) => cell.replaceAll('`', '');

describe('docs/events.md', () => {
  test('has the catalogue: every type, the streams that it is in, and the fields of its data', () => {
    const rows = tableOf('docs/events.md', 'type', 'in streams of', 'data');
    expect(rows.map(([type]) => bare(type!))).toEqual(expect.arrayContaining([...EVENT_TYPES]));
    expect(rows).toHaveLength(EVENT_TYPES.length);
    for (const [name, streams, fields] of rows) {
      const type = bare(name!) as EventType;
      const kinds = streams!.startsWith('all')
        ? ['workflow', 'agent', 'task']
        : streams!.match(/workflow|agent|task/g)!;
      expect(kinds).toEqual([...CATALOGUE[type]]);
      const schema = EVENT_DATA[type] as unknown as {
        shape: Record<string, { safeParse(v: unknown): { success: boolean } }>;
      };
      const documented = fields!.replace(/\(.*?\)/g, '').replace(/:.*/, '');
      const names = [...documented.matchAll(/`(\w+)\??`/g)].map(([, field]) => field);
      expect(names.toSorted(), type).toEqual(Object.keys(schema.shape).toSorted());
      for (const [, field, optional] of documented.matchAll(/`(\w+)(\??)`/g)) {
        // A gap has one of two fields, or neither; the table says so in words.
        if (type === 'gap') continue;
        expect(schema.shape[field!]!.safeParse(undefined).success, `${type}.${field}`).toBe(optional === '?');
      }
    }
  });

  test('has every warning code that publishers, rows and servers use', () => {
    const folders = ['src/publish', 'src/source', 'src/rest', 'src/tail'];
    const files = folders.flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        // Warnings of Temporal workflows have a separate table.
        .filter((name) => name.endsWith('.ts') && !name.startsWith('temporal'))
        .map((name) => join(folder, name)),
    );
    const codes = files.flatMap((file) => {
      const source = read(file);
      return [
        ...source.matchAll(/'warning'[^;]*?code: '([A-Z_]+)'/g),
        ...source.matchAll(/[wW]arn(?:ing)?\([^;]*?'([A-Z]+_[A-Z_]+)'/g),
        ...source.matchAll(/code: '(ATTEMPT_FAILED|EVENT_TOO_LARGE)'/g),
        ...source.matchAll(/'warning', JSON\.stringify\(\{ code: '([A-Z]+)'/g),
      ].map(([, code]) => code!);
    });
    const documented = tableOf('docs/events.md', 'warning', 'means').map(([code]) => bare(code!));
    expect([...new Set(codes)].toSorted()).toEqual(documented.toSorted());
    expect(read('docs/events.md')).toContain('`PUBLISHER_LOST`');
  });
});

describe('docs/publishing.md', () => {
  test('has every limit of a publisher and its default', () => {
    const rows = tableOf('docs/publishing.md', 'limit', 'default');
    const documented = Object.fromEntries(rows.map(([name, value]) => [bare(name!), Number(value)]));
    expect(documented).toEqual(DEFAULT_LIMITS);
  });
});

describe('every page', () => {
  const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  const folders = readdirSync(join(ROOT, 'examples'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const examples = readdirSync(join(ROOT, 'examples'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => /(^|[\\/])README\.md$/.test(name) && !name.includes('node_modules'),
  );
  const decisions = readdirSync(join(ROOT, 'docs/decisions'));
  const all = [
    'README.md',
    'SECURITY.md',
    ...pages.map((name) => `docs/${name}`),
    ...decisions.map((name) => `docs/decisions/${name}`),
    ...examples.map((name) => `examples/${name}`),
  ];

  test.each(all)('the links of %s resolve', (path) => {
    const anchorsOf = (page: string) =>
      [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
        title!
          .toLowerCase()
          .replace(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      );
    for (const [, target] of read(path).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file, anchor] = target!.split('#') as [string, string | undefined];
      const there = file === '' ? path : join(dirname(path), file);
      expect(existsSync(join(ROOT, there)), target).toBe(true);
      if (anchor) expect(anchorsOf(there), target).toContain(anchor);
    }
  });

  test('the indexes list every page, every example, and every decision, whose title begins with its number', () => {
    for (const name of pages) {
      if (name !== 'README.md') expect(read('docs/README.md')).toContain(`](${name})`);
    }
    for (const { name } of folders) expect(read('examples/README.md')).toContain(`](${name})`);
    for (const name of decisions.filter((each) => each !== 'README.md')) {
      const [number] = name.split('-');
      expect(read('docs/decisions/README.md')).toContain(`[${number}](${name})`);
      expect(read(`docs/decisions/${name}`)).toMatch(new RegExp(`^# ${number} `));
    }
  });

  test('every operation in a block of GraphQL is valid', () => {
    const schema = buildSchema(read('schema.graphql'));
    // Schemas of other subgraphs are composed in test/graphql/federation.test.ts.
    const isOperation = ({ language, text }: Block) => language === 'graphql' && !text.includes('@link');
    const blocks = all.flatMap((path) => blocksOf(path).filter(isOperation));
    expect(blocks.length).toBeGreaterThan(1);
    for (const { text } of blocks) expect(validate(schema, parse(text))).toEqual([]);
  });
});
