// The code of docs/graphql.md and docs/rest.md for clients is the code of examples/clients, which test/clients runs.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blocksOf, ROOT } from './blocks.ts';

const FOLDER = join(ROOT, 'examples/clients');

/** Without indentation, which differs between a file and an excerpt of it. */
const unindented = (code: string) => code.replaceAll(/\n\s*/g, '\n').trim();

/** As a user of the package writes it: the examples import the sources. */
const imported = (code: string) =>
  code.replaceAll(/'\.\.\/\.\.\/src\/client\/graphql\/([\w-]+)\.ts'/g, "'execstream/client/$1'");

test.each(['docs/graphql.md', 'docs/rest.md'])(
  'every TypeScript block of %s is part of an example',
  (page) => {
    const files = readdirSync(FOLDER).map((file) =>
      unindented(imported(readFileSync(join(FOLDER, file), 'utf8'))),
    );
    const parts = blocksOf(page)
      .filter(({ language }) => language === 'ts')
      .flatMap(({ text }) => text.split('\n\n').map(unindented));
    expect(parts.length).toBeGreaterThan(0);
    expect(parts.filter((part) => !files.some((file) => file.includes(part)))).toEqual([]);
  },
);
