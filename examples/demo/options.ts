// What the command line of the demo may say.
import { parseArgs } from 'node:util';
import { ExecstreamError } from '../../src/worker.ts';

export const USAGE = `npm start [folder] [-- --pace <n>] [--temporal]

  folder       whose text files are digested; by default the project's own README.md and docs/
  --pace <n>   how many times as fast as a person reads; 1 by default, up to 100
  --temporal   digests as workflows of Temporal's, on a dev server that is started where no TEMPORAL_ADDRESS is
               set; it needs the Temporal CLI

Environment: PORT HOST DATA_DIR DATABASE_URL REDIS_URL TEMPORAL_ADDRESS LOG_LEVEL`;

export interface Options {
  /** Absent: the project's own texts. */
  readonly folder: string | undefined;
  readonly pace: number;
  /** Whether the work is Temporal's; it is also where the environment names a server. */
  readonly temporal: boolean;
  readonly help: boolean;
}

/**
 * Reads the arguments.
 * @throws ExecstreamError `BAD_USER_INPUT`, saying what is wrong.
 */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const pace = Number(values.pace);
  if (!(pace >= 0.1 && pace <= 100)) throw wrong(`--pace: expected 0.1 to 100, not "${values.pace}"`);
  if (positionals.length > 1) throw wrong(`expected one folder, not ${positionals.length}`);
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
    throw wrong(`${(error as Error).message.split('. ')[0]}; --help shows what there is`);
  }
}

function wrong(what: string): ExecstreamError {
  return new ExecstreamError('BAD_USER_INPUT', what);
}
