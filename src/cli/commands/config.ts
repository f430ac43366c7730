// `execstream config`: the settings that a server started here would have, and where each comes from.
import { Command } from 'commander';
import { environmentWith, readConfig } from '../../server/config/config.ts';
import { type EffectiveSetting, effectiveSettings } from '../../server/config/effective.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { runAction } from '../run-action.ts';
import { addSettingFlags, settingsOf } from '../setting-flags.ts';
import { explainStartError } from '../start-error.ts';
import { createStyle, type Style } from '../view/style.ts';
import { formatTable } from '../view/table.ts';

interface ConfigOptions {
  readonly check?: true;
  readonly all?: true;
  readonly json?: true;
  readonly color: boolean;
  readonly [flag: string]: unknown;
}

export function configCommand(): Command {
  return addSettingFlags(new Command('config'))
    .description(
      'Show the settings that "start" would use here, with the same flags and environment. Secrets are hidden.' +
        ' Exits with 1 if a setting is wrong.',
    )
    .option('--check', 'check the settings, and show only the errors')
    .option('--all', 'also show the settings that have their default')
    .option('--json', 'print all settings as one JSON object')
    .option('--no-color', 'do not use colours (also: NO_COLOR)')
    .action((options: ConfigOptions) => runAction(async () => showConfig(options)));
}

function showConfig(options: ConfigOptions): number {
  const flags = settingsOf(options);
  const env = environmentWith(flags);
  const settings = effectiveSettings(env, flags);
  if (options.json) process.stdout.write(`${JSON.stringify(toJson(settings), null, 2)}\n`);
  else if (!options.check) {
    const style = createStyle(process.stdout, options.color);
    process.stdout.write(formatSettings(settings, options.all ?? false, style));
  }
  try {
    readConfig(env);
  } catch (error) {
    process.stderr.write(`execstream: ${explainStartError(error, flags)}\n`);
    return EXIT_CODES.failed;
  }
  if (options.check) process.stdout.write('all settings are valid\n');
  return EXIT_CODES.success;
}

function toJson(settings: readonly EffectiveSetting[]): object {
  return Object.fromEntries(settings.map(({ name, value, source }) => [name, { value, source }]));
}

/** A table per section. */
export function formatSettings(settings: readonly EffectiveSetting[], isAll: boolean, style: Style): string {
  const shown = settings.filter(({ source }) => isAll || source !== 'default');
  if (shown.length === 0) return 'all settings have their defaults; --all shows them\n';
  const sections = [...new Set(shown.map(({ section }) => section))];
  return sections
    .map((section) => {
      const members = shown.filter((each) => each.section === section);
      const rows = members.map(({ name, value, source }) => [
        name,
        source === 'default' ? style.dim(value) : value,
        style.dim(source),
      ]);
      return `${style.bold(section)}\n${formatTable(rows, { indent: 2 })}`;
    })
    .join('\n');
}
