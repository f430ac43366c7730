// The seeded generator: every decision of a run is drawn from here, so that a seed names a run.

export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** A whole number, both bounds included. */
  whole(least: number, most: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** A copy in another order. */
  shuffled<T>(from: readonly T[]): T[];
  /** A generator of its own for one purpose, so that decisions made elsewhere do not shift those made there. */
  fork(purpose: string): Random;
}

/** Makes a generator; the same words give the same numbers. */
export function createRandom(...words: readonly (string | number)[]): Random {
  const name = words.join('/');
  let state = fnv1a(name);
  // Mulberry32: small, fast, and good enough to shuffle faults.
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    whole,
    chance: (probability) => next() < probability,
    pick: (from) => from[whole(0, from.length - 1)]!,
    shuffled(from) {
      const order = [...from];
      for (let i = order.length - 1; i > 0; i -= 1) {
        const j = whole(0, i);
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
