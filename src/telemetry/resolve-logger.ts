// The logger of a part of a worker, from its option.
import type { Logger } from './logger.ts';
import { STDERR } from './stderr-logger.ts';

const SILENT: Logger = { info: () => {}, warn: () => {}, error: () => {} };

/**
 * The logger of an option: `false` for none, by default warnings and errors on stderr. It never throws.
 */
export function resolveLogger(logger: Logger | false | undefined): Logger {
  return safe(logger === false ? SILENT : (logger ?? STDERR));
}

/** A logger that never throws: a logger of the caller must fail neither the work nor a timer of the publisher. */
function safe(logger: Logger): Logger {
  const level =
    (name: keyof Logger): Logger['info'] =>
    (fields, message) => {
      try {
        logger[name](fields, message);
      } catch {
        // There is nobody else to report it to.
      }
    };
  return { info: level('info'), warn: level('warn'), error: level('error') };
}
