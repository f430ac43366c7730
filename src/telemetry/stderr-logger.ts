// The default logger: a program that configured none still shows why its events do not arrive.
import { describeFailure } from './failure-reason.ts';
import type { Logger } from './logger.ts';

/**
 * Writes warnings and errors to stderr, one line each: the time, the message, the error with its causes, and the other
 * fields.
 */
export const STDERR: Logger = {
  info: () => {},
  warn: (fields, message) => write('warning', fields, message),
  error: (fields, message) => write('error', fields, message),
};

function write(level: string, fields: object, message: string): void {
  const { err, ...others } = fields as { readonly err?: unknown };
  const cause = err === undefined ? '' : `: ${describeFailure(err)}`;
  const details = Object.entries(others).map(([name, value]) => ` ${name}=${textOf(value)}`);
  // Ids may contain line breaks and other control characters.
  const text = `${message}${cause}${details.join('')}`.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  const line = `${new Date().toISOString()} execstream ${level}: ${text}`;
  const { process } = globalThis as { readonly process?: NodeJS.Process };
  if (process?.stderr) process.stderr.write(`${line}\n`);
  // biome-ignore lint/suspicious/noConsole: edge runtimes have no other output
  else console.error(line);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
