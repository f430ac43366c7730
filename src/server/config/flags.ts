// Settings as flags of a command: `--redis-url <url>` is REDIS_URL, and takes precedence over the variable.
import type { Environment, Setting } from './env.ts';
import { plain, SECTIONS } from './reference.ts';

/** A setting that has a flag. */
export interface SettingFlag {
  /** The variable. */
  readonly name: string;
  /** As it is written on the command line: `--redis-url`. */
  readonly flag: string;
  /** Of its value in help. */
  readonly placeholder: string;
  /** One sentence, with the variable and the default. */
  readonly description: string;
}

/** The flags of the settings that people change, in the order of the settings. */
export const SETTING_FLAGS: readonly SettingFlag[] = Object.values(SECTIONS)
  .flatMap(({ settings }) => settings)
  .flatMap((setting) => (setting.flag === undefined ? [] : [describeFlag(setting, setting.flag)]));

function describeFlag({ name, doc, shownDefault }: Setting<unknown>, placeholder: string): SettingFlag {
  const [sentence] = plain(doc).split(/(?<=\.) /);
  const text = sentence!.replace(/\.$/, '');
  return {
    name,
    flag: `--${name.toLowerCase().replaceAll('_', '-')}`,
    placeholder,
    description: `${text} (${name}; default: ${plain(shownDefault)})`,
  };
}

/** The lines of a `CONFIG` error, each of which names the flag if one has set the wrong value. */
export function withFlagNames(message: string, flags: Environment): string {
  const flagOf = (name: string) =>
    flags[name] === undefined ? undefined : SETTING_FLAGS.find((each) => each.name === name)?.flag;
  return message.replace(/^[A-Z_]+(?=:)/gm, (name) => flagOf(name) ?? name);
}
