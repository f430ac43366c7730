// What is published and who watches it: drawn from the seed, execution by execution.
import type { Random } from './random.ts';
import { createRandom } from './random.ts';

export type Publishing = 'library' | 'http' | 'temporal';
export type Transport =
  | 'rest'
  | 'rest-token'
  | 'graphql-get'
  | 'graphql-get-token'
  | 'graphql-post'
  | 'browser';

/** One execution, told to a worker process as it is. */
export interface ExecutionPlan {
  readonly id: string;
  readonly kind: 'agent' | 'task';
  readonly mode: 'TEXT' | 'STRUCTURED';
  readonly by: Publishing;
  /** What its contents are drawn from. */
  readonly seed: string;
  readonly pieces: number;
  /** A text whose pieces are so large that a viewer who does not read backs up into the server. */
  readonly isHeavy: boolean;
  /** Between two pieces, in ms. */
  readonly paceMs: number;
  /** The first attempt gives up after so many pieces; undefined where it does not. */
  readonly givesUpAt: number | undefined;
  readonly ends: 'complete' | 'fail';
}

/** One viewer of it. */
export interface ViewerPlan {
  readonly name: string;
  readonly transport: Transport;
  /** How long after the execution's start it comes. */
  readonly joinsAfterMs: number;
  /** After so many events it goes away for so long, once; undefined where it stays. */
  readonly leaves: { readonly afterEvents: number; readonly forMs: number } | undefined;
  /** What its backoff is drawn from. */
  readonly seed: string;
}

export const TENANT = 'prove';

export interface PlanOptions {
  readonly seed: number;
  /** Begins the ids of its executions. */
  readonly prefix: string;
  readonly viewersEach: number;
  /** The part of executions that a browser watches too. */
  readonly browsers: number;
  /** The least and the most pieces of an execution. */
  readonly pieces: readonly [number, number];
  readonly paceMs: readonly [number, number];
}

/** The n-th execution of a run. */
export function planExecution(options: PlanOptions, n: number): ExecutionPlan {
  const random = createRandom(options.prefix, 'execution', n);
  const isHeavy = random.chance(0.06);
  // Less than a publisher holds: after a reset it says a text of more than 1 MiB no more than in part (PREFIX_LOST).
  const pieces = Math.min(random.whole(...options.pieces), isHeavy ? 180 : Number.POSITIVE_INFINITY);
  return {
    id: `${options.prefix}-${n}`,
    kind: random.pick(['agent', 'task']),
    mode: isHeavy || random.chance(0.7) ? 'TEXT' : 'STRUCTURED',
    by: random.chance(0.3) ? 'http' : 'library',
    seed: `${options.prefix}/${n}`,
    pieces,
    isHeavy,
    paceMs: random.whole(...options.paceMs),
    givesUpAt: random.chance(0.15) ? random.whole(1, pieces) : undefined,
    ends: random.chance(0.1) ? 'fail' : 'complete',
  };
}

const TRANSPORTS: readonly Transport[] = [
  ...(['rest', 'rest', 'rest-token', 'graphql-get', 'graphql-get-token', 'graphql-post'] as const),
];

/** The viewers of an execution. */
export function planViewers(
  { id, pieces, paceMs, isHeavy }: Pick<ExecutionPlan, 'id' | 'pieces' | 'paceMs' | 'isHeavy'>,
  options: PlanOptions,
): ViewerPlan[] {
  const durationMs = pieces * paceMs;
  const length = isHeavy ? Math.ceil(options.viewersEach / 5) : options.viewersEach;
  const hasBrowser = createRandom(options.seed, 'browser', id).chance(options.browsers);
  return Array.from({ length }, (_, n) => {
    const random: Random = createRandom(options.seed, 'viewer', id, n);
    // Most come at once; some find half of it said already.
    const joinsAfterMs = random.chance(0.8) ? random.whole(0, 1_500) : random.whole(0, durationMs);
    const leaves = { afterEvents: random.whole(5, 200), forMs: random.whole(0, 3_000) };
    return {
      name: `${id}/${n}`,
      transport: n === 0 && hasBrowser ? 'browser' : random.pick(TRANSPORTS),
      joinsAfterMs,
      leaves: random.chance(0.2) ? leaves : undefined,
      seed: `${options.seed}/${id}/${n}`,
    };
  });
}
