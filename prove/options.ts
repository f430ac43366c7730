// The command line of the proof and of the soak.
import { parseArgs } from 'node:util';
import { FAULTS } from './faults/schedule.ts';

export interface Options {
  readonly scenario: 'chaos' | 'rolling';
  readonly seed: number;
  readonly minutes: number;
  readonly viewers: number;
  readonly servers: number;
  /** About how many of the viewers are a browser's EventSource. */
  readonly browsers: number;
  /** Where the numbers are written as JSON. */
  readonly json: string | undefined;
  /** Kinds of faults; all by default. */
  readonly faults: readonly string[];
  /** Keep logs and journals though all is well. */
  readonly keep: boolean;
}

/** @throws Error in words for the one who typed it. */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      scenario: { type: 'string', default: 'chaos' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string' },
      viewers: { type: 'string' },
      servers: { type: 'string' },
      browsers: { type: 'string', default: '4' },
      json: { type: 'string' },
      faults: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  const scenario = values.scenario;
  if (scenario !== 'chaos' && scenario !== 'rolling') {
    throw new Error(`--scenario ${scenario}: expected chaos or rolling`);
  }
  const isRolling = scenario === 'rolling';
  const kinds = FAULTS.map(({ kind }) => kind);
  const faults = values.faults?.split(',') ?? (isRolling ? ['rolling-deploy'] : kinds);
  const unknown = faults.find((kind) => !kinds.includes(kind));
  if (unknown !== undefined) throw new Error(`--faults ${unknown}: expected some of ${kinds.join(', ')}`);
  return {
    scenario,
    seed: number('seed', values.seed, 0, 2 ** 31),
    minutes: number('minutes', values.minutes ?? (isRolling ? '1' : '3'), 0.1, 24 * 60),
    viewers: number('viewers', values.viewers ?? (isRolling ? '1000' : '300'), 1, 5_000),
    servers: number('servers', values.servers ?? (isRolling ? '3' : '2'), 1, 9),
    browsers: number('browsers', values.browsers, 0, 5),
    json: values.json,
    faults,
    keep: values.keep,
  };
}

export function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text !== '' && value >= least && value <= most) return value;
  throw new Error(`--${name} ${text}: expected a number from ${least} to ${most}`);
}
