// The floors of src/ hold, and the checker that says so does notice each breach.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { breaches, type Sources } from './rules.ts';
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

test('src/ keeps its floors, has no circle and breaks no rule', () => {
  const sources = readSources();
  expect(Object.keys(sources)).toContain('event/cursor.ts');
  expect(breaches(sources)).toEqual([]);
});

describe('the checker', () => {
  test('lets a file import its own folder and lower floors', () => {
    const sources = {
      'event/events.ts': '',
      'log/log.ts': `import type { A } from '../event/events.ts';`,
      'log/redis/append.ts': `import { log } from '../log.ts';`,
      'tail/tail.ts': `import { log } from '../log/log.ts';`,
      'server/create-execstream.ts': `import '../tail/tail.ts'; import '../log/log.ts';`,
      'worker.ts': `export * from './log/log.ts';`,
    };
    expect(breaches(sources)).toEqual([]);
  });

  test.each([
    ['import', `import { x } from '../tail/tail.ts';`],
    ['import type', `import type { X } from '../tail/tail.ts';`],
    ['a re-export', `export { x } from '../tail/tail.ts';`],
    ['a dynamic import', `const x = await import('../tail/tail.ts');`],
  ])('notices an import up the floors: %s', (_, source) => {
    const found = breaches({ 'log/log.ts': source, 'tail/tail.ts': '' });
    expect(found).toEqual(['log/log.ts: imports tail/tail.ts, up from floor 4 to 6']);
  });

  test('notices an import sideways, also from a subfolder', () => {
    const found = breaches({ 'tail/a/b.ts': `import '../../sse/sse.ts';`, 'sse/sse.ts': '' });
    expect(found).toEqual(['tail/a/b.ts: imports sse/sse.ts, sideways on floor 6']);
  });

  test('notices a folder without a floor, an import of an entry, of the package itself, and from outside', () => {
    const sources = {
      'misc/a.ts': '',
      'index.ts': '',
      'cli/main.ts': `import '../index.ts'; import 'execstream/client'; import '../../test/support/wait.ts';`,
    };
    expect(breaches(sources)).toEqual([
      'cli/main.ts: imports ../test/support/wait.ts, outside src/',
      'cli/main.ts: imports index.ts, an entry of the package',
      'cli/main.ts: imports its own package by name',
      'misc/a.ts: misc/ has no floor',
    ]);
  });

  test('notices a circle inside a folder, once, also where one side imports a type', () => {
    const sources = {
      'log/a.ts': `import './b.ts';`,
      'log/b.ts': `import './c.ts';`,
      'log/c.ts': `import type { A } from './a.ts';`,
    };
    expect(breaches(sources)).toEqual(['log/a.ts: a circle: log/a.ts → log/b.ts → log/c.ts → log/a.ts']);
  });

  test.each([
    ['temporal/workflow/emit.ts', `import { randomUUID } from 'node:crypto';`],
    ['client/read.ts', `import { once } from 'events';`],
    ['event/execution-id.ts', `import 'node:fs/promises';`],
  ])("notices a module of Node's in %s", (file, source) => {
    expect(breaches({ [file]: source })).toEqual([
      expect.stringContaining("this folder runs where Node's modules are not"),
    ]);
  });

  test('lets only event/validation.ts of the lower world load zod, and nobody there load event/validation.ts', () => {
    const sources = {
      'event/validation.ts': `import { z } from 'zod';`,
      'event/events.ts': `import { z } from 'zod/mini';`,
      'client/read.ts': `import '../event/validation.ts';`,
      'log/parse.ts': `import '../event/validation.ts';`,
    };
    expect(breaches(sources)).toEqual([
      'client/read.ts: imports event/validation.ts, and zod with it',
      'event/events.ts: imports zod/mini, which only event/validation.ts may',
    ]);
  });

  test('notices a dependency of event/', () => {
    expect(breaches({ 'event/events.ts': `import type { Logger } from 'pino';` })).toEqual([
      'event/events.ts: imports pino, and event/ is free of dependencies',
    ]);
  });

  test('notices GraphQL that the worker entry would load, and not a mere type of it', () => {
    const sources = {
      'worker.ts': `export * from './publish/publisher.ts';`,
      'publish/publisher.ts': `import '../log/listen.ts'; import type { X } from 'graphql';`,
      'log/listen.ts': `import { RedisPubSub } from 'graphql-redis-subscriptions';`,
    };
    expect(breaches(sources)).toEqual([
      'worker.ts: loads graphql-redis-subscriptions, through log/listen.ts',
    ]);
  });

  test.each([
    'const port = process.env.PORT;',
    "const port = process['env'].PORT;",
    'const { env } = process;',
    "import { env } from 'node:process';",
    `const url = \`http://\${process.env.HOST}/\`;`,
  ])('notices the environment read outside server/config/config.ts: %s', (source) => {
    const found = breaches({ 'cli/main.ts': source, 'server/config/config.ts': source });
    expect(found).toEqual(['cli/main.ts: reads the environment, which only server/config/config.ts may']);
  });

  test('does not take another word for the environment', () => {
    const source = '// process.env is read elsewhere\nprocess.emit("environment"); const { env } = config;';
    expect(breaches({ 'cli/main.ts': source })).toEqual([]);
  });

  test('notices NODE_ENV, even in the configuration', () => {
    const found = breaches({ 'server/config/config.ts': `if (process.env.NODE_ENV === 'test') {}` });
    expect(found).toEqual(['server/config/config.ts: names NODE_ENV; no behaviour hangs on it']);
  });

  test('notices a file that has grown too long, unless it was generated', () => {
    const long = 'const x = 1;\n'.repeat(301);
    const found = breaches({ 'log/a.ts': long, 'log/generated/b.ts': long, 'log/c.gen.ts': long });
    expect(found).toEqual(['log/a.ts: 301 lines; above 300 a file has become two']);
  });
});

describe('the scanner', () => {
  test('reads every form of import, over several lines too', () => {
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

  test('takes nothing from comments, strings and statements that only look like imports', () => {
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

  test('sees an import that stands behind a string with the beginning of a comment in it', () => {
    const source = `const glob = '/api/*';\nconst re = /[/*]/;\nimport x from './x.ts'; // */`;
    expect(importsOf(source)).toEqual([{ specifier: './x.ts', typeOnly: false }]);
  });
});
