// The command line of the proof and of the soak test.
import { parseArgs } from 'node:util';
import { FAULTS } from './faults/schedule.ts';

export interface Options {
  readonly scenario: 'chaos' | 'rolling';
  readonly seed: number;
  readonly minutes: number;
  readonly viewers: number;
  readonly servers: number;
  /** Approximate number of viewers that use a browser's EventSource. */
  readonly browsers: number;
  /** The file to which the results are written as JSON. */
  readonly json: string | undefined;
  /** Kinds of faults; all by default. */
  readonly faults: readonly string[];
  /** Keeps logs and journals even if the run passes. */
  readonly keep: boolean;
}

export const USAGE = `Usage: npm run prove -- [options]

Publishes and watches executions while faults are injected. Fails if an event is lost, duplicated, out of order or
wrong, or if a kind of fault did not happen.

  --scenario <name>    chaos (default), or rolling: replaces servers under many viewers
  --seed <n>           seed of all decisions (default: 1)
  --minutes <n>        duration (default: 3; rolling: 1)
  --viewers <n>        concurrent viewers, about (default: 300; rolling: 1000)
  --servers <n>        servers (default: 2; rolling: 3)
  --browsers <n>       viewers that use a browser's EventSource, about (default: 4)
  --faults <a,b,…>     kinds of faults (default: all; rolling: rolling-deploy)
  --json <file>        writes the results as JSON
  --keep               keeps logs and journals even if the run passes

Kinds of faults: ${FAULTS.map(({ kind }) => kind).join(', ')}`;

/** @throws Error with a message for the person who typed the command. */
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
  if (unknown !== undefined) throw new Error(`--faults ${unknown}: expected a subset of ${kinds.join(', ')}`);
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

export function number(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text !== '' && value >= min && value <= max) return value;
  throw new Error(`--${name} ${text}: expected a number from ${min} to ${max}`);
}
