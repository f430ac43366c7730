// Values of environment variables, checked: each refusal names the variable and what was expected.
import { ExecstreamError } from '../../event/errors.ts';

type Environment = NodeJS.ProcessEnv;

/** A whole number within bounds. */
export function integer(
  env: Environment,
  name: string,
  fallback: number,
  least: number,
  most: number,
): number {
  const text = env[name];
  if (!text) return fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw invalid(name, `expected ${least} to ${most}, not "${text}"`);
  return value;
}

/** A URL of one of these protocols, which end in a colon. */
export function url(env: Environment, name: string, protocols: readonly string[]): string | undefined {
  const text = env[name];
  if (!text) return undefined;
  // The value is not shown: it may hold a password.
  if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
    throw invalid(name, `expected a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`);
  }
  return text;
}

/** One of these words. */
export function oneOf(env: Environment, name: string, fallback: string, known: readonly string[]): string {
  const text = env[name] || fallback;
  if (!known.includes(text)) throw invalid(name, `expected one of ${known.join(', ')}, not "${text}"`);
  return text;
}

/** Values separated by commas; empty where absent. */
export function list(env: Environment, name: string): string[] {
  return (env[name] ?? '').split(',').flatMap((value) => value.trim() || []);
}

/** The error for a variable's value. */
export function invalid(name: string, what: string): ExecstreamError {
  return new ExecstreamError('BAD_USER_INPUT', `${name}: ${what}`);
}
