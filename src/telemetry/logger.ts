// Where log lines go: the part of pino's interface that execstream uses, so that any structured logger fits.

/** A structured logger; pino satisfies it. Fields come first, and an error is in `err`. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A logger that may have `error` alone; other levels are dropped if it lacks them. */
export type ErrorLogger = Pick<Logger, 'error'> & Partial<Logger>;

/** A logger with every level, which drops those that the given one lacks. */
export function withAllLevels(logger: ErrorLogger): Logger {
  return {
    info: (fields, message) => logger.info?.(fields, message),
    warn: (fields, message) => logger.warn?.(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}
