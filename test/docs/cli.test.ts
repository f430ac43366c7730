// docs/cli.md, compared with the commands: their names, their options and the exit codes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { configCommand } from '../../src/cli/commands/config.ts';
import { demoCommand } from '../../src/cli/commands/demo.ts';
import { doctorCommand } from '../../src/cli/commands/doctor.ts';
import { lsCommand } from '../../src/cli/commands/ls.ts';
import { migrateCommand } from '../../src/cli/commands/migrate.ts';
import { replayCommand } from '../../src/cli/commands/replay.ts';
import { startCommand } from '../../src/cli/commands/start.ts';
import { stateCommand } from '../../src/cli/commands/state.ts';
import { tailCommand } from '../../src/cli/commands/tail.ts';
import { EXIT_CODES, EXIT_CODES_HELP } from '../../src/cli/exit-codes.ts';
import { SETTING_FLAGS } from '../../src/server/config/flags.ts';
import { blocksOf, ROOT } from './blocks.ts';

const PAGE = 'docs/cli.md';
const page = readFileSync(join(ROOT, PAGE), 'utf8');

const COMMANDS: Record<string, Command> = Object.fromEntries(
  [
    ...[startCommand(), tailCommand(), lsCommand(), stateCommand(), replayCommand()],
    ...[doctorCommand(), configCommand(), migrateCommand(), demoCommand()],
  ].map((command) => [command.name(), command]),
);

const flagsOf = (command: Command) =>
  command.options.flatMap(({ long, short }) => [long, short].filter((flag) => flag));

describe(PAGE, () => {
  test('lists every command', () => {
    const listed = [...page.matchAll(/^\| \[`(\w+)`\]/gm)].map(([, name]) => name);
    expect(listed.sort()).toEqual(Object.keys(COMMANDS).sort());
  });

  test('uses options that exist, in every example', () => {
    const lines = blocksOf(PAGE)
      .filter(({ language }) => language === 'sh')
      .flatMap(({ text }) => text.split('\n'));
    const examples = lines.filter((line) => !/execstream (--help|help )/.test(line));
    expect(examples.length).toBeGreaterThan(8);
    for (const line of examples) {
      const [, name, rest] = /^npx execstream (\w+)([^|>]*)/.exec(line)!;
      const flags = rest!.match(/(?<=\s)--[\w-]+/g) ?? [];
      expect(flagsOf(COMMANDS[name!]!), line).toEqual(expect.arrayContaining(flags));
    }
  });

  test('names every flag of a setting', () => {
    for (const { flag } of SETTING_FLAGS) expect(page).toContain(`\`${flag}\``);
  });

  test('has the exit codes, and so has the help', () => {
    const rows = [...page.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code]) => Number(code));
    expect(rows).toEqual(Object.values(EXIT_CODES));
    const inHelp = [...EXIT_CODES_HELP.matchAll(/^ {2}(\d+) /gm)].map(([, code]) => Number(code));
    expect(inHelp).toEqual(Object.values(EXIT_CODES));
  });
});
