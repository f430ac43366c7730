// The time between consecutive events of a viewer, except for pauses that the viewer caused.

export interface Pause {
  readonly ms: number;
  readonly from: number;
  readonly viewer: string;
  /** Connections that were opened during the pause. */
  readonly reconnects: number;
}

export interface Pauses {
  /** An event has arrived. */
  arrived(viewer: string, before: number, at: number, reconnects: number): void;
  readonly longest: Pause | undefined;
  /** The long pauses, for investigation. */
  readonly long: readonly Pause[];
}

const LONG_MS = 8_000;
const MAX_LONG_PAUSES = 500;

export function createPauses(): Pauses {
  let longest: Pause | undefined;
  const long: Pause[] = [];
  return {
    arrived(viewer, before, at, reconnects) {
      const ms = at - before;
      const pause = { ms, from: before, viewer, reconnects };
      if (ms > (longest?.ms ?? 0)) longest = pause;
      if (ms > LONG_MS && long.length < MAX_LONG_PAUSES) long.push(pause);
    },
    get longest() {
      return longest;
    },
    long,
  };
}
