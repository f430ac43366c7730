// The effective value of every setting, for display: with its source, and without secrets.
import type { Environment, Setting } from './env.ts';
import { plain, SECTIONS } from './reference.ts';

export interface EffectiveSetting {
  readonly name: string;
  /** The section of the documentation. */
  readonly section: string;
  /** The text of the variable, or the default in words. */
  readonly value: string;
  readonly source: 'flag' | 'environment' | 'default';
}

const HIDDEN = '********';

/** In front of the host of a URL, and in its parameters. */
const CREDENTIALS = /(?<=:\/\/)[^/?#\s]*@/g;
const SECRET_PARAMETER = /(?<=[?&][^=&]*(?:password|secret|token|key)[^=&]*=)[^&\s]+/gi;

/**
 * Lists all settings.
 * @param env with the values of the flags
 * @param flags the values that flags have set, by the names of their variables
 */
export function effectiveSettings(env: Environment, flags: Environment): readonly EffectiveSetting[] {
  return Object.values(SECTIONS).flatMap(({ title, settings }) =>
    settings.map((setting) => {
      const text = env[setting.name] || undefined;
      const source = text === undefined ? 'default' : flags[setting.name] ? 'flag' : 'environment';
      const value = text === undefined ? plain(setting.shownDefault) : masked(setting, text);
      return { name: setting.name, section: title, value, source };
    }),
  );
}

function masked({ isSecret }: Setting<unknown>, text: string): string {
  if (isSecret) return HIDDEN;
  return text.replace(CREDENTIALS, `${HIDDEN}@`).replace(SECRET_PARAMETER, HIDDEN);
}
