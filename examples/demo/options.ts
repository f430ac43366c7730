// The demo's command line.
import { parseArgs } from 'node:util';
import { ExecstreamError } from '../../src/worker.ts';

export const USAGE = `npm start [folder] [-- --pace <n>] [--temporal]

  folder       folder whose text files are digested (default: README.md and docs/ of this project)
  --pace <n>   speed as a multiple of a person's reading speed, 0.1 to 100 (default: 1)
  --temporal   runs the digests as Temporal workflows. Without TEMPORAL_ADDRESS, starts a dev server, which
               requires the Temporal CLI

Environment: PORT HOST DATA_DIR DATABASE_URL REDIS_URL TEMPORAL_ADDRESS LOG_LEVEL`;

export interface Options {
  /** If absent, texts of this project are used. */
  readonly folder: string | undefined;
  readonly pace: number;
  /** Whether Temporal runs the work; it also does if the environment configures a server. */
  readonly temporal: boolean;
  readonly help: boolean;
}

/**
 * Parses the arguments.
 * @throws ExecstreamError `BAD_USER_INPUT` with a description of the problem.
 */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const pace = Number(values.pace);
  if (!(pace >= 0.1 && pace <= 100)) throw badInput(`--pace: expected 0.1 to 100, got "${values.pace}"`);
  if (positionals.length > 1) throw badInput(`expected one folder, got ${positionals.length}`);
  return { folder: positionals[0], pace, temporal: values.temporal, help: values.help };
}

function parse(args: readonly string[]) {
  const options = {
    pace: { type: 'string', default: '1' },
    temporal: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw badInput(`${(error as Error).message.split('. ')[0]}; see --help`);
  }
}

function badInput(message: string): ExecstreamError {
  return new ExecstreamError('BAD_USER_INPUT', message);
}
