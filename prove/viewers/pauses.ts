// How long viewers had to wait between two events, other than by their own doing.

export interface Pause {
  readonly ms: number;
  readonly from: number;
  readonly viewer: string;
  /** Connections that were begun meanwhile. */
  readonly reconnects: number;
}

export interface Pauses {
  /** An event has come. */
  arrived(viewer: string, before: number, at: number, reconnects: number): void;
  readonly longest: Pause | undefined;
  /** The long ones, for a person to look into. */
  readonly long: readonly Pause[];
}

const LONG_MS = 8_000;
const KEPT = 500;

export function createPauses(): Pauses {
  let longest: Pause | undefined;
  const long: Pause[] = [];
  return {
    arrived(viewer, before, at, reconnects) {
      const ms = at - before;
      const pause = { ms, from: before, viewer, reconnects };
      if (ms > (longest?.ms ?? 0)) longest = pause;
      if (ms > LONG_MS && long.length < KEPT) long.push(pause);
    },
    get longest() {
      return longest;
    },
    long,
  };
}
