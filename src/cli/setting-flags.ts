// The flags of commands that use the settings of a server.
import { type Command, Option } from 'commander';
import type { Environment } from '../server/config/env.ts';
import { SETTING_FLAGS } from '../server/config/flags.ts';

const OPTIONS = SETTING_FLAGS.map(({ name, flag, placeholder, description }) => ({
  name,
  option: () => new Option(`${flag} <${placeholder}>`, description),
}));

/** Adds a flag for each setting that has one. */
export function addSettingFlags(command: Command): Command {
  for (const { option } of OPTIONS) command.addOption(option());
  return command;
}

/** The values of the flags, by the names of their variables. */
export function settingsOf(options: Readonly<Record<string, unknown>>): Environment {
  const entries = OPTIONS.map(({ name, option }) => [name, options[option().attributeName()]] as const);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
