// The tables generated from the settings are up to date in docs/, and the help lists every setting.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startCommand } from '../../../src/cli/commands/start.ts';
import { readConfig } from '../../../src/server/config/config.ts';
import type { Environment } from '../../../src/server/config/env.ts';
import { SECTIONS, toHelp, toMarkdown, withTables } from '../../../src/server/config/reference.ts';

const PAGES = ['configuration', 'authentication'].map((name) => `docs/${name}.md`);
const SETTINGS = Object.values(SECTIONS).flatMap(({ settings }) => settings);

const read = (path: string) => readFileSync(join(import.meta.dirname, '../../..', path), 'utf8');

describe('docs/', () => {
  test.each(PAGES)(
    '%s has the tables generated from the settings (scripts/settings-tables.ts updates them)',
    (path) => {
      expect(read(path)).toBe(withTables(read(path)));
    },
  );

  test('every section of the settings has a table', () => {
    const pages = PAGES.map(read).join('\n');
    for (const name of Object.keys(SECTIONS)) expect(pages).toContain(`<!-- settings: ${name} -->\n|`);
  });

  test('a table that differs from the settings is replaced, and the text around it is unchanged', () => {
    const page = 'before\n<!-- settings: temporal -->\n| old |\n<!-- end -->\nafter';
    const table = toMarkdown(SECTIONS.temporal!);
    expect(withTables(page)).toBe(`before\n<!-- settings: temporal -->\n${table}\n<!-- end -->\nafter`);
    expect(() => withTables(page.replace('temporal', 'nonsense'))).toThrow('nonsense');
  });
});

describe('each setting', () => {
  test('each setting has a unique name and a sentence of documentation', () => {
    const names = SETTINGS.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(50);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, doc } of SETTINGS) expect(doc, name).toMatch(/^[^|\n]+\.$/);
  });

  const config = (env: Environment) => readConfig({ REDIS_URL: 'redis://redis', ...env });
  const withDefaults = SETTINGS.map(({ name, shownDefault }) => ({
    name,
    value: shownDefault.replaceAll('`', ''),
  })).filter(({ value }) => !/^(any|none|memory|PGlite in DATA_DIR)$/.test(value));

  test.each(withDefaults)(
    '$name: setting the documented default $value changes nothing',
    ({ name, value }) => {
      // Settings of JWTs require a key, and those of Temporal an address.
      const key: Environment = {
        ...(/^AUTH_/.test(name) && { AUTH_SHARED_KEY: 'k'.repeat(32) }),
        ...(/^TEMPORAL_/.test(name) && { TEMPORAL_ADDRESS: 'localhost:7233' }),
      };
      expect(config({ ...key, [name]: value })).toEqual(config(key));
      if (!/^\d+$/.test(value)) return;
      expect(config({ ...key, [name]: `${Number(value) + 1}` })).not.toEqual(config(key));
    },
  );
});

test('`execstream start --help` lists every setting with its default, within 100 columns', () => {
  let help = '';
  const command = startCommand().configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  expect(help).toContain(toHelp());
  for (const { name, shownDefault } of SETTINGS) {
    expect(help).toContain(`  ${name} (default: ${shownDefault.replaceAll('`', '')})\n`);
  }
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(toHelp()).not.toMatch(/[`\]]|\]\(/);
});
