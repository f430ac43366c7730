// A logger for tests that do not check log lines: it drops all of them.
import type { Logger } from '../../src/telemetry/logger.ts';

export const SILENT: Logger = { info: () => {}, warn: () => {}, error: () => {} };
