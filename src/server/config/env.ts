// Settings from environment variables. Each is declared once, with its default and its documentation; see reference.ts
// for what is generated from that.
import { ExecstreamError } from '../../event/errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** One environment variable. */
export interface Setting<T> {
  readonly name: string;
  /** One or two sentences of Markdown; links are relative to docs/. */
  readonly doc: string;
  /** The default in Markdown. */
  readonly shownDefault: string;
  /**
   * Parses the variable. An empty one is an absent one.
   * @throws ExecstreamError `CONFIG`, naming the variable.
   */
  readonly read: (env: Environment) => T;
}

/** Settings by the name of the property that they become. */
export interface Settings {
  readonly [property: string]: Setting<unknown> | Settings;
}

/** The values of settings. */
export type Values<S> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : Values<S[K]>;
};

export function readSettings<const S extends Settings>(settings: S, env: Environment): Values<S> {
  const values = Object.entries(settings).map(([property, setting]) => [
    property,
    isSetting(setting) ? setting.read(env) : readSettings(setting, env),
  ]);
  return Object.fromEntries(values) as Values<S>;
}

/** All settings of a group, in the order of their declaration. */
export function listSettings(settings: Settings): Setting<unknown>[] {
  return Object.values(settings).flatMap((setting) =>
    isSetting(setting) ? [setting] : listSettings(setting),
  );
}

function isSetting(setting: Setting<unknown> | Settings): setting is Setting<unknown> {
  return typeof setting.read === 'function';
}

interface IntegerOptions {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly doc: string;
}

export function integer(name: string, options: IntegerOptions): Setting<number> {
  const { default: fallback, min, max, doc } = options;
  return define(name, doc, `${fallback}`, (text) => {
    if (text === undefined) return fallback;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw invalid(name, `expected ${min} to ${max}, got "${text}"`);
  });
}

export function text(name: string, options: { default: string; doc: string }): Setting<string> {
  return define(name, options.doc, `\`${options.default}\``, (value) => value ?? options.default);
}

interface OptionalOptions {
  /** The default in words. */
  readonly unset: string;
  readonly doc: string;
}

export function optionalText(name: string, { unset, doc }: OptionalOptions): Setting<string | undefined> {
  return define(name, doc, unset, (value) => value);
}

interface UrlOptions extends OptionalOptions {
  /** Each ends in a colon. */
  readonly protocols: readonly string[];
}

export function optionalUrl(name: string, options: UrlOptions): Setting<string | undefined> {
  const { unset, doc, protocols } = options;
  return define(name, doc, unset, (value) => {
    if (value === undefined) return undefined;
    if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value;
    // Without the value, which may contain a password.
    throw invalid(name, `expected a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`);
  });
}

interface ChoiceOptions<T extends string> {
  readonly default: T;
  readonly choices: readonly T[];
  readonly doc: string;
}

export function oneOf<const T extends string>(name: string, options: ChoiceOptions<T>): Setting<T> {
  const { default: fallback, choices, doc } = options;
  return define(name, doc, `\`${fallback}\``, (value = fallback) => {
    if ((choices as readonly string[]).includes(value)) return value as T;
    throw invalid(name, `expected one of ${choices.join(', ')}, got "${value}"`);
  });
}

export function onOff(name: string, options: { default: boolean; doc: string }): Setting<boolean> {
  const word = oneOf(name, { ...options, default: options.default ? 'on' : 'off', choices: ['on', 'off'] });
  return { ...word, read: (env) => word.read(env) === 'on' };
}

/** Values separated by commas; empty by default. */
export function listOf(name: string, doc: string): Setting<readonly string[]> {
  return define(name, doc, 'none', (value = '') => value.split(',').flatMap((item) => item.trim() || []));
}

/** The error for a variable's value. */
export function invalid(name: string, what: string): ExecstreamError {
  return new ExecstreamError('CONFIG', `${name}: ${what}`);
}

function define<T>(
  name: string,
  doc: string,
  shownDefault: string,
  parse: (value: string | undefined) => T,
): Setting<T> {
  return { name, doc, shownDefault, read: (env) => parse(env[name] || undefined) };
}
