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

/** Above these, a result counts as broken. */
export interface Limits {
  /** The longest response of `/health/live`, in ms. */
  readonly liveMs: number;
  /** The longest pause of the victim's stream beyond its own cadence, in ms. */
  readonly pauseMs: number;
  /** The server's peak resident memory, in MiB. */
  readonly rssMiB: number;
}

/** @throws Error, worded for the person who typed the command. */
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
