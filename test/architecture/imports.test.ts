// src/ complies with the floors and the other rules, and the checker detects every kind of violation.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Sources, violations } from './rules.ts';
import { importsOf } from './scan.ts';

const SRC = join(import.meta.dirname, '../../src');

function readSources(): Sources {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.[cm]?tsx?$/.test(file),
  );
  return Object.fromEntries(
    files.map((file) => [file.replaceAll('\\', '/'), readFileSync(join(SRC, file), 'utf8')]),
  );
}

test('src/ complies with its floors, has no import cycles and breaks no rule', () => {
  const sources = readSources();
  expect(Object.keys(sources)).toContain('event/cursor.ts');
  expect(violations(sources)).toEqual([]);
});

describe('the checker', () => {
  test('allows a file to import its own folder and lower floors', () => {
    const sources = {
      'event/events.ts': '',
      'log/log.ts': `import type { A } from '../event/events.ts';`,
      'log/redis/append.ts': `import { log } from '../log.ts';`,
      'tail/tail.ts': `import { log } from '../log/log.ts';`,
      'server/create-execstream.ts': `import '../tail/tail.ts'; import '../log/log.ts';`,
      'worker.ts': `export * from './log/log.ts';`,
    };
    expect(violations(sources)).toEqual([]);
  });

  test.each([
    ['import', `import { x } from '../tail/tail.ts';`],
    ['import type', `import type { X } from '../tail/tail.ts';`],
    ['a re-export', `export { x } from '../tail/tail.ts';`],
    ['a dynamic import', `const x = await import('../tail/tail.ts');`],
  ])('detects an import from a higher floor: %s', (_, source) => {
    const found = violations({ 'log/log.ts': source, 'tail/tail.ts': '' });
    expect(found).toEqual(['log/log.ts: imports tail/tail.ts, up from floor 5 to 7']);
  });

  test('detects an import from the same floor, also from a subfolder', () => {
    const found = violations({ 'tail/a/b.ts': `import '../../sse/sse.ts';`, 'sse/sse.ts': '' });
    expect(found).toEqual(['tail/a/b.ts: imports sse/sse.ts, sideways on floor 7']);
  });

  test('detects a folder without a floor, and imports of an entry, of the package itself and from outside', () => {
    const sources = {
      'misc/a.ts': '',
      'index.ts': '',
      'cli/main.ts': `import '../index.ts'; import 'execstream/client'; import '../../test/support/wait.ts';`,
    };
    expect(violations(sources)).toEqual([
      'cli/main.ts: imports ../test/support/wait.ts, outside src/',
      'cli/main.ts: imports index.ts, an entry of the package',
      'cli/main.ts: imports its own package by name',
      'misc/a.ts: misc/ has no floor',
    ]);
  });

  test('detects a cycle inside a folder once, also if one side imports a type', () => {
    const sources = {
      'log/a.ts': `import './b.ts';`,
      'log/b.ts': `import './c.ts';`,
      'log/c.ts': `import type { A } from './a.ts';`,
    };
    expect(violations(sources)).toEqual([
      'log/a.ts: import cycle: log/a.ts → log/b.ts → log/c.ts → log/a.ts',
    ]);
  });

  test.each([
    ['temporal/workflow/emit.ts', `import { randomUUID } from 'node:crypto';`],
    ['client/read.ts', `import { once } from 'events';`],
    ['event/execution-id.ts', `import 'node:fs/promises';`],
  ])('detects a Node module in %s', (file, source) => {
    expect(violations({ [file]: source })).toEqual([
      expect.stringContaining("this folder runs without Node's modules"),
    ]);
  });

  test('of the folders without Node, allows only event/validation.ts to load zod, and none to load event/validation.ts', () => {
    const sources = {
      'event/validation.ts': `import { z } from 'zod';`,
      'event/events.ts': `import { z } from 'zod/mini';`,
      'client/read.ts': `import '../event/validation.ts';`,
      'log/parse.ts': `import '../event/validation.ts';`,
    };
    expect(violations(sources)).toEqual([
      'client/read.ts: imports event/validation.ts, and zod with it',
      'event/events.ts: imports zod/mini, which is reserved for event/validation.ts',
    ]);
  });

  test('detects a dependency of event/', () => {
    expect(violations({ 'event/events.ts': `import type { Logger } from 'pino';` })).toEqual([
      'event/events.ts: imports pino, but event/ has no dependencies',
    ]);
  });

  test('detects GraphQL that the worker entry would load, but allows types', () => {
    const sources = {
      'worker.ts': `export * from './publish/publisher.ts';`,
      'publish/publisher.ts': `import '../log/listen.ts'; import type { X } from 'graphql';`,
      'log/listen.ts': `import { RedisPubSub } from 'graphql-redis-subscriptions';`,
    };
    expect(violations(sources)).toEqual([
      'worker.ts: loads graphql-redis-subscriptions, through log/listen.ts',
    ]);
  });

  test.each([
    'const port = process.env.PORT;',
    "const port = process['env'].PORT;",
    'const { env } = process;',
    "import { env } from 'node:process';",
    `const url = \`http://\${process.env.HOST}/\`;`,
  ])('detects a read of the environment outside server/config/config.ts: %s', (source) => {
    const found = violations({ 'cli/main.ts': source, 'server/config/config.ts': source });
    expect(found).toEqual([
      'cli/main.ts: reads the environment, which is reserved for server/config/config.ts',
    ]);
  });

  test('does not mistake other names for the environment', () => {
    const source = '// process.env is read elsewhere\nprocess.emit("environment"); const { env } = config;';
    expect(violations({ 'cli/main.ts': source })).toEqual([]);
  });

  test('detects NODE_ENV, even in the configuration', () => {
    const found = violations({ 'server/config/config.ts': `if (process.env.NODE_ENV === 'test') {}` });
    expect(found).toEqual(['server/config/config.ts: uses NODE_ENV, on which no behaviour may depend']);
  });

  test('detects a file that is too long, unless it is generated', () => {
    const long = 'const x = 1;\n'.repeat(301);
    const found = violations({ 'log/a.ts': long, 'log/generated/b.ts': long, 'log/c.gen.ts': long });
    expect(found).toEqual(['log/a.ts: 301 lines, more than 300; split it']);
  });
});

describe('the scanner', () => {
  test('reads every form of import, also over several lines', () => {
    const source = `
import './side.ts';
import a, { b } from './ab.ts';
import * as c from "./c.ts";
import type { D } from './d.ts';
import { type E, f } from './ef.ts';
import type from './default-called-type.ts';
import {
  g,
  h,
} from './gh.ts';
export * from './all.ts';
export type { I } from './i.ts';
import pkg from './package.json' with { type: 'json' };
const j = await import('./j.ts');
`;
    const found = importsOf(source).map(({ specifier, typeOnly }) => specifier + (typeOnly ? ' (type)' : ''));
    expect(found).toEqual([
      './side.ts',
      './ab.ts',
      './c.ts',
      './d.ts (type)',
      './ef.ts',
      './default-called-type.ts',
      './gh.ts',
      './all.ts',
      './i.ts (type)',
      './package.json',
      './j.ts',
    ]);
  });

  test('ignores comments, strings and statements that only look like imports', () => {
    const source = `
// import a from './comment.ts';
/* import b from './block.ts'; */
const url = 'http://host//import'; const re = /['"]/; // import './tail.ts'
const text = "import c from './string.ts'";
export const from = './constant.ts';
export type F = 'x' | './union.ts';
`;
    expect(importsOf(source)).toEqual([]);
  });

  test('finds an import after a string that contains the start of a comment', () => {
    const source = `const glob = '/api/*';\nconst re = /[/*]/;\nimport x from './x.ts'; // */`;
    expect(importsOf(source)).toEqual([{ specifier: './x.ts', typeOnly: false }]);
  });
});
