// Settings from environment variables. Each is declared once, with its default and its documentation; see reference.ts
// for what is generated from that, and flags.ts for those that have a flag.
import { ExecstreamError, isExecstreamError } from '../../event/errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** How a setting is shown. */
export interface Description {
  /** One or two sentences of Markdown; links are relative to docs/. */
  readonly doc: string;
  /** The placeholder of its flag, such as `port`: `--port <port>`. Without it, the setting has no flag. */
  readonly flag?: string;
  /**
   * Whether the value is never shown. URLs are shown without their credentials in any case.
   * @default false
   */
  readonly isSecret?: boolean;
}

/** One environment variable. */
export interface Setting<T> extends Description {
  readonly name: string;
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

/** @throws ExecstreamError `CONFIG`, with a line for each wrong setting */
export function readSettings<const S extends Settings>(settings: S, env: Environment): Values<S> {
  const readers = Object.entries(settings).map(([property, setting]) => [
    property,
    () => (isSetting(setting) ? setting.read(env) : readSettings(setting, env)),
  ]);
  return readAll(Object.fromEntries(readers)) as Values<S>;
}

/**
 * Calls all readers, also if some of them fail, so that an operator sees everything that is wrong.
 * @throws ExecstreamError `CONFIG`, with the lines of all errors
 */
export function readAll<const R extends { readonly [property: string]: () => unknown }>(
  readers: R,
): { readonly [K in keyof R]: ReturnType<R[K]> } {
  const entries = readEach(Object.entries(readers), ([property, read]) => [property, read()] as const);
  return Object.fromEntries(entries) as { [K in keyof R]: ReturnType<R[K]> };
}

/**
 * As `readAll`, for the items of a list.
 * @throws ExecstreamError `CONFIG`, with the lines of all errors
 */
export function readEach<T, R>(items: readonly T[], read: (item: T) => R): R[] {
  const values: R[] = [];
  const errors: ExecstreamError[] = [];
  for (const item of items) {
    try {
      values.push(read(item));
    } catch (error) {
      if (!isExecstreamError(error, 'CONFIG')) throw error;
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  // Several checks may read the same setting.
  const lines = new Set(errors.flatMap(({ message }) => message.split('\n')));
  if (lines.size > 0) throw new ExecstreamError('CONFIG', [...lines].join('\n'));
  return values;
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

interface IntegerOptions extends Description {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export function integer(name: string, options: IntegerOptions): Setting<number> {
  const { default: fallback, min, max } = options;
  return define(name, options, `${fallback}`, (text) => {
    if (text === undefined) return fallback;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw invalid(name, `expected ${min} to ${max}, got "${text}"`);
  });
}

export function text(name: string, options: Description & { default: string }): Setting<string> {
  return define(name, options, `\`${options.default}\``, (value) => value ?? options.default);
}

interface OptionalOptions extends Description {
  /** The default in words. */
  readonly unset: string;
}

export function optionalText(name: string, options: OptionalOptions): Setting<string | undefined> {
  return define(name, options, options.unset, (value) => value);
}

interface UrlOptions extends OptionalOptions {
  /** Each ends in a colon. */
  readonly protocols: readonly string[];
}

export function optionalUrl(name: string, options: UrlOptions): Setting<string | undefined> {
  const { unset, protocols } = options;
  return define(name, options, unset, (value) => {
    if (value === undefined) return undefined;
    if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value;
    // Without the value, which may contain a password.
    throw invalid(name, `expected a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`);
  });
}

interface ChoiceOptions<T extends string> extends Description {
  readonly default: T;
  readonly choices: readonly T[];
}

export function oneOf<const T extends string>(name: string, options: ChoiceOptions<T>): Setting<T> {
  const { default: fallback, choices } = options;
  return define(name, options, `\`${fallback}\``, (value = fallback) => {
    if ((choices as readonly string[]).includes(value)) return value as T;
    throw invalid(name, `expected one of ${choices.join(', ')}, got "${value}"`);
  });
}

export function onOff(name: string, options: { default: boolean; doc: string }): Setting<boolean> {
  const word = oneOf(name, { ...options, default: options.default ? 'on' : 'off', choices: ['on', 'off'] });
  return { ...word, read: (env) => word.read(env) === 'on' };
}

/** Values separated by commas; empty by default. */
export function listOf(name: string, description: Description): Setting<readonly string[]> {
  return define(name, description, 'none', (value = '') =>
    value.split(',').flatMap((item) => item.trim() || []),
  );
}

/** The error for a variable's value. */
export function invalid(name: string, what: string): ExecstreamError {
  return new ExecstreamError('CONFIG', `${name}: ${what}`);
}

function define<T>(
  name: string,
  { doc, flag, isSecret }: Description,
  shownDefault: string,
  parse: (value: string | undefined) => T,
): Setting<T> {
  const marks = { ...(flag !== undefined && { flag }), ...(isSecret && { isSecret }) };
  return { name, doc, ...marks, shownDefault, read: (env) => parse(env[name] || undefined) };
}
