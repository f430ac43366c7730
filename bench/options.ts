// The command line of the benchmark.
import { parseArgs } from 'node:util';

export interface Options {
  readonly isQuick: boolean;
  /** Whether ratios are compared with the recorded ones. */
  readonly check: boolean;
  /** Whether the ratios become the recorded ones. */
  readonly record: boolean;
  /** Whether docs/benchmarks is written. */
  readonly write: boolean;
  /** Letters of scenarios. */
  readonly only: readonly string[];
  /** Names of servers beside ours. */
  readonly peers: readonly string[];
  readonly repetitions: number;
  readonly json: string | undefined;
  /** A build to be measured as it is; by default `dist`, built anew. */
  readonly dist: string | undefined;
  /** A folder for CPU profiles of our server. */
  readonly profile: string | undefined;
}

const QUICK = { only: ['A', 'B'], peers: ['raw-node', 'yoga'], repetitions: '3' };

/**
 * @param known what there is to choose from
 * @throws Error in words for the one who typed it
 */
export function parseOptions(
  argv: readonly string[],
  known: { readonly scenarios: readonly string[]; readonly peers: readonly string[] },
): Options {
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
    throw new Error(`--repetitions ${values.repetitions}: expected a whole number from 1`);
  }
  if ((check || record) && !isQuick)
    throw new Error('--check and --record are of the quick form: add --quick');
  return {
    ...{ isQuick, check, record, write, repetitions },
    only: chosen('only', values.only?.toUpperCase(), known.scenarios) ?? form.only,
    peers: chosen('peers', values.peers, known.peers) ?? form.peers,
    ...{ json: values.json, dist: values.dist, profile: values.profile },
  };
}

function chosen(name: string, text: string | undefined, known: readonly string[]): string[] | undefined {
  const names = text?.split(',').filter(Boolean);
  const unknown = names?.find((each) => !known.includes(each));
  if (unknown !== undefined) throw new Error(`--${name} ${unknown}: expected some of ${known.join(', ')}`);
  return names;
}
