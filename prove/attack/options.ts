// The command line of the attacks.
import { parseArgs } from 'node:util';
import { number } from '../options.ts';

export interface Options {
  /** How long each attack runs. */
  readonly seconds: number;
  /** Ids of attacks, or their numbers (`5` for `5a`, `5b`, …); all if absent. */
  readonly only: readonly string[] | undefined;
  readonly limits: Limits;
  /** The file to which the results are written. */
  readonly json: string | undefined;
}

/** A result above one of these is broken. */
export interface Limits {
  /** The longest response of `/health/live`, in ms. */
  readonly liveMs: number;
  /** The longest pause of the victim's stream beyond its own cadence, in ms. */
  readonly pauseMs: number;
  /** The server's peak resident memory, in MiB. */
  readonly rssMiB: number;
}

export const USAGE = `Usage: npm run attack -- [options]

Runs attacks of one caller, each against a new server, and measures their effect on the server and on another tenant.
Fails if a limit is exceeded.

  --only <a,b,…>       ids (5a) or groups (5) of attacks (default: all)
  --seconds <n>        duration of each attack (default: 10)
  --max-live <ms>      longest response of /health/live (default: 500)
  --max-pause <ms>     longest pause of the victim's stream (default: 1000)
  --max-rss <MiB>      peak resident memory of the server (default: 600)
  --json <file>        writes the results as JSON`;

/** @throws Error with a message for the person who typed the command. */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seconds: { type: 'string', default: '10' },
      only: { type: 'string' },
      'max-live': { type: 'string', default: '500' },
      'max-pause': { type: 'string', default: '1000' },
      'max-rss': { type: 'string', default: '600' },
      json: { type: 'string' },
    },
  });
  return {
    seconds: number('seconds', values.seconds, 1, 600),
    only: values.only?.split(',').filter(Boolean),
    limits: {
      liveMs: number('max-live', values['max-live'], 1, 600_000),
      pauseMs: number('max-pause', values['max-pause'], 1, 600_000),
      rssMiB: number('max-rss', values['max-rss'], 50, 100_000),
    },
    json: values.json,
  };
}
