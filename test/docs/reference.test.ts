// Compares the tables of docs/ with the code (variables, events, warnings, limits), and checks links and indexes.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { CATALOGUE, EVENT_TYPES, type EventType } from '../../src/event/events.ts';
import { EVENT_DATA } from '../../src/event/validation.ts';
import { readConfig } from '../../src/server/config/config.ts';
import { DEFAULT_LIMITS } from '../../src/worker.ts';
import { blocksOf, ROOT } from './blocks.ts';

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

/** Variables that are documented in another table or section: authentication and Temporal. */
const ELSEWHERE =
  /^(AUTH_(AUDIENCE|CLOCK_SKEW_SECONDS|EXECUTIONS_CLAIM|ISSUER|JWKS_URL|POLICY_CLAIMS|SESSION_MS|SHARED_KEY|TENANT_CLAIM)|TEMPORAL_(ADDRESS|CONFIG_FILE|PROFILE|TENANT))$/;

test('every AUTH_ and TEMPORAL_ variable that is read by name is documented on its page', () => {
  const source = read('src/server/config/config.ts');
  const names = [...source.matchAll(/(?:env\.|')((?:AUTH|TEMPORAL)_[A-Z_]+)/g)].map((m) => m[1]!);
  expect(names.length).toBeGreaterThan(8);
  for (const name of names) {
    const page = name.startsWith('AUTH_') ? 'docs/authentication.md' : 'docs/configuration.md';
    expect(read(page)).toContain(`\`${name}\``);
  }
});

describe('docs/configuration.md', () => {
  const table = [
    ...tableOf('docs/configuration.md', 'variable', 'default'),
    ...tableOf('docs/configuration.md', 'variable', 'default', 'when exceeded'),
  ];

  test('has every variable that src/server/config/config.ts reads, and no other', () => {
    const source = read('src/server/config/config.ts');
    const names = [...source.matchAll(/env\.([A-Z][A-Z_]+)|\(env, '([A-Z][A-Z_]+)'/g)].map(
      (m) => m[1] ?? m[2]!,
    );
    const known = [...new Set(names)].filter((name) => !ELSEWHERE.test(name));
    const documented = table.map(([name]) => bare(name!)).filter((name) => !ELSEWHERE.test(name));
    expect(documented.toSorted()).toEqual(known.toSorted());
  });

  test('has their defaults: setting one to it changes nothing', () => {
    const config = (env: NodeJS.ProcessEnv) => readConfig({ REDIS_URL: 'redis://redis', ...env });
    for (const [name, documented] of table.map(([n, t]) => [bare(n!), bare(t!)] as const)) {
      if (ELSEWHERE.test(name)) continue;
      // An empty default is described in words.
      if (/^(none|memory|PGlite in DATA_DIR)$/.test(documented)) continue;
      expect(config({ [name]: documented }), name).toEqual(config({}));
      if (/^\d+$/.test(documented))
        expect(config({ [name]: `${Number(documented) + 1}` }), name).not.toEqual(config({}));
    }
  });
});

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
        ...source.matchAll(/code: '(ATTEMPT_FAILED)'/g),
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
  const examples = ['sse-browser', 'sse-node', 'python-worker', 'temporal-worker'];
  const decisions = readdirSync(join(ROOT, 'docs/decisions'));
  const all = [
    'README.md',
    'SECURITY.md',
    ...pages.map((name) => `docs/${name}`),
    ...decisions.map((name) => `docs/decisions/${name}`),
    ...examples.map((name) => `examples/${name}/README.md`),
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

  test('the indexes list every page and every decision, whose title begins with its number', () => {
    for (const name of pages) {
      if (name !== 'README.md') expect(read('docs/README.md')).toContain(`](${name})`);
    }
    for (const name of decisions.filter((each) => each !== 'README.md')) {
      const [number] = name.split('-');
      expect(read('docs/decisions/README.md')).toContain(`[${number}](${name})`);
      expect(read(`docs/decisions/${name}`)).toMatch(new RegExp(`^# ${number} `));
    }
  });

  test('every block of GraphQL is valid', () => {
    const schema = buildSchema(read('schema.graphql'));
    const blocks = all.flatMap((path) => blocksOf(path).filter(({ language }) => language === 'graphql'));
    expect(blocks.length).toBeGreaterThan(1);
    for (const { text } of blocks) expect(validate(schema, parse(text))).toEqual([]);
  });
});
