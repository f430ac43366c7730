// The seeded generator. Every decision of a run is drawn from it, so that a seed identifies a run.

export interface Random {
  /** From 0 (inclusive) to 1 (exclusive). */
  next(): number;
  /** An integer from `min` to `max`, both inclusive. */
  integer(min: number, max: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** A copy in random order. */
  shuffled<T>(from: readonly T[]): T[];
  /** An independent generator for one purpose, so that draws in one place do not shift those in another. */
  fork(purpose: string): Random;
}

/** Creates a generator; equal arguments give the same sequence. */
export function createRandom(...parts: readonly (string | number)[]): Random {
  const name = parts.join('/');
  let state = fnv1a(name);
  // Mulberry32: small, fast, and random enough to shuffle faults.
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: (from) => from[integer(0, from.length - 1)]!,
    shuffled(from) {
      const order = [...from];
      for (let i = order.length - 1; i > 0; i -= 1) {
        const j = integer(0, i);
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      return order;
    },
    fork: (purpose) => createRandom(name, purpose),
  };
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
