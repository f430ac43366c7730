// A logger that redacts: log lines of a run may quote errors of the caller or of a database, which may contain secrets.
import { propertyOf } from '../event/error-message.ts';
import type { Logger } from '../telemetry/logger.ts';
import { isIdentifier } from './identifiers.ts';

/** @param redact redacts a string */
export function createRedactingLogger(logger: Logger, redact: (text: string) => string): Logger {
  const level =
    (write: Logger['info']): Logger['info'] =>
    (fields, message) => {
      const redacted = Object.entries(fields).map(([key, value]) => [
        key,
        isIdentifier(key) ? value : redactValue(value, redact),
      ]);
      write(Object.fromEntries(redacted), redact(message));
    };
  return {
    info: level((fields, message) => logger.info(fields, message)),
    warn: level((fields, message) => logger.warn(fields, message)),
    error: level((fields, message) => logger.error(fields, message)),
  };
}

/** Limit on nested values, such as the causes of errors. */
const MAX_DEPTH = 8;

function redactValue(value: unknown, redact: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (value instanceof Error) {
    // A copy of the same class: the error itself must not be changed, because its caller may use it.
    const copy = Object.create(Object.getPrototypeOf(value)) as Error;
    for (const key of Object.getOwnPropertyNames(value)) {
      const inner = redactValue(propertyOf(value, key), redact, depth + 1);
      const enumerable = Object.prototype.propertyIsEnumerable.call(value, key);
      Object.defineProperty(copy, key, { value: inner, enumerable, configurable: true, writable: true });
    }
    return copy;
  }
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain) return value;
  if (Array.isArray(value)) return value.map((each) => redactValue(each, redact, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [redact(key), redactValue(inner, redact, depth + 1)]),
  );
}
