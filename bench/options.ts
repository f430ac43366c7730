// The command line of the benchmark.
import { parseArgs } from 'node:util';

export interface Known {
  readonly scenarios: readonly string[];
  readonly peers: readonly string[];
}

export interface Options {
  readonly isQuick: boolean;
  /** Whether ratios are compared with the recorded ones. */
  readonly check: boolean;
  /** Whether the ratios are recorded. */
  readonly record: boolean;
  /** Whether docs/benchmarks is written. */
  readonly write: boolean;
  /** Letters of scenarios. */
  readonly only: readonly string[];
  /** Names of peers. */
  readonly peers: readonly string[];
  readonly repetitions: number;
  readonly json: string | undefined;
  /** An existing build to measure. By default, `dist` is built first. */
  readonly dist: string | undefined;
  /** A folder for CPU profiles of our server. */
  readonly profile: string | undefined;
}

/** @param known the available scenarios and peers */
export function usage(known: Known): string {
  return `Usage: npm run bench -- [options]

Measures the cost of delivering events, compared with peers.

  --quick              scenarios A and B against ${QUICK.peers.join(' and ')}, less than a minute
  --only <A,B,…>       scenarios (default: all)
  --peers <a,b,…>      peers (default: all)
  --repetitions <n>    repetitions of each scenario (default: 3)
  --check              fails if a recorded ratio has fallen by more than a third; requires --quick
  --record             records the ratios for this kind of processor; requires --quick
  --json <file>        writes the rows as JSON
  --write              writes docs/benchmarks
  --profile <folder>   writes CPU profiles of our server
  --dist <folder>      measures an existing build instead of building dist

Scenarios: ${known.scenarios.join(', ')}
Peers: ${known.peers.join(', ')}`;
}

const QUICK = { only: ['A', 'B'], peers: ['raw-node', 'yoga'], repetitions: '3' };

/**
 * @param known the available scenarios and peers
 * @throws Error with a message for the person who typed the command
 */
export function parseOptions(argv: readonly string[], known: Known): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      only: { type: 'string' },
      peers: { type: 'string' },
      repetitions: { type: 'string' },
      json: { type: 'string' },
      dist: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const { quick: isQuick, check, record, write } = values;
  const form = isQuick ? QUICK : { only: known.scenarios, peers: known.peers, repetitions: '3' };
  const repetitions = Number(values.repetitions ?? form.repetitions);
  if (!Number.isInteger(repetitions) || repetitions < 1) {
    throw new Error(`--repetitions ${values.repetitions}: expected an integer of at least 1`);
  }
  if ((check || record) && !isQuick) throw new Error('--check and --record require --quick');
  return {
    ...{ isQuick, check, record, write, repetitions },
    only: parseNames('only', values.only?.toUpperCase(), known.scenarios) ?? form.only,
    peers: parseNames('peers', values.peers, known.peers) ?? form.peers,
    ...{ json: values.json, dist: values.dist, profile: values.profile },
  };
}

function parseNames(name: string, text: string | undefined, known: readonly string[]): string[] | undefined {
  const names = text?.split(',').filter(Boolean);
  const unknown = names?.find((each) => !known.includes(each));
  if (unknown !== undefined)
    throw new Error(`--${name} ${unknown}: expected a subset of ${known.join(', ')}`);
  return names;
}
