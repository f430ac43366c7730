// A logger that writes no secret: what a run logs may quote an error of the caller's or of a database.
import type { Logger } from '../telemetry/logger.ts';

/** @param string makes a string fit to be logged. */
export function createRedactingLogger(logger: Logger, string: (text: string) => string): Logger {
  const level =
    (write: Logger['info']): Logger['info'] =>
    (fields, message) => {
      const clean = Object.entries(fields).map(([key, value]) => [key, cleaned(value, string)]);
      write(Object.fromEntries(clean), string(message));
    };
  return {
    info: level((fields, message) => logger.info(fields, message)),
    warn: level((fields, message) => logger.warn(fields, message)),
    error: level((fields, message) => logger.error(fields, message)),
  };
}

/** Errors that errors are the cause of, at most. */
const MAX_DEPTH = 8;

function cleaned(value: unknown, string: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') return string(value);
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (value instanceof Error) {
    // A copy, of the same class: the error itself belongs to whoever catches it.
    const copy = Object.create(Object.getPrototypeOf(value)) as Error;
    for (const key of Object.getOwnPropertyNames(value)) {
      const inner = cleaned((value as unknown as Record<string, unknown>)[key], string, depth + 1);
      const enumerable = Object.prototype.propertyIsEnumerable.call(value, key);
      Object.defineProperty(copy, key, { value: inner, enumerable, configurable: true, writable: true });
    }
    return copy;
  }
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain) return value;
  if (Array.isArray(value)) return value.map((each) => cleaned(each, string, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [string(key), cleaned(inner, string, depth + 1)]),
  );
}
