// The plan of a run: its executions and their viewers. Every decision is drawn from the seed.
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

/** One execution, as it is sent to a worker process. */
export interface ExecutionPlan {
  readonly id: string;
  readonly kind: 'agent' | 'task';
  readonly mode: 'TEXT' | 'STRUCTURED';
  readonly by: Publishing;
  /** The seed of its contents. */
  readonly seed: string;
  readonly pieces: number;
  /** A text with chunks so large that a viewer that does not read causes backpressure in the server. */
  readonly isHeavy: boolean;
  /** The pause between two pieces, in ms. */
  readonly paceMs: number;
  /** The first attempt gives up after this number of pieces; undefined if it does not give up. */
  readonly givesUpAt: number | undefined;
  readonly ends: 'complete' | 'fail';
}

/** One viewer of an execution. */
export interface ViewerPlan {
  readonly name: string;
  readonly transport: Transport;
  /** When it connects, in ms after the start of the execution. */
  readonly joinsAfterMs: number;
  /** Disconnects once, after this number of events and for this long; undefined if it stays connected. */
  readonly leaves: { readonly afterEvents: number; readonly forMs: number } | undefined;
  /** The seed of its backoff. */
  readonly seed: string;
}

export const TENANT = 'prove';

export interface PlanOptions {
  readonly seed: number;
  /** The prefix of the execution ids. */
  readonly prefix: string;
  readonly viewersEach: number;
  /** The share of executions that a browser watches too. */
  readonly browsers: number;
  /** The minimum and the maximum number of pieces of an execution. */
  readonly pieces: readonly [number, number];
  readonly paceMs: readonly [number, number];
}

/** The n-th execution of a run. */
export function planExecution(options: PlanOptions, n: number): ExecutionPlan {
  const random = createRandom(options.prefix, 'execution', n);
  const isHeavy = random.chance(0.06);
  // Stays below 1 MiB: after a reset, a publisher resends only a part of a longer text (PREFIX_LOST).
  const pieces = Math.min(random.integer(...options.pieces), isHeavy ? 180 : Number.POSITIVE_INFINITY);
  return {
    id: `${options.prefix}-${n}`,
    kind: random.pick(['agent', 'task']),
    mode: isHeavy || random.chance(0.7) ? 'TEXT' : 'STRUCTURED',
    by: random.chance(0.3) ? 'http' : 'library',
    seed: `${options.prefix}/${n}`,
    pieces,
    isHeavy,
    paceMs: random.integer(...options.paceMs),
    givesUpAt: random.chance(0.15) ? random.integer(1, pieces) : undefined,
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
    // Most viewers connect near the start; the others replay a part first.
    const joinsAfterMs = random.chance(0.8) ? random.integer(0, 1_500) : random.integer(0, durationMs);
    const leaves = { afterEvents: random.integer(5, 200), forMs: random.integer(0, 3_000) };
    return {
      name: `${id}/${n}`,
      transport: n === 0 && hasBrowser ? 'browser' : random.pick(TRANSPORTS),
      joinsAfterMs,
      leaves: random.chance(0.2) ? leaves : undefined,
      seed: `${options.seed}/${id}/${n}`,
    };
  });
}
