// The order of faults: decks shuffled by the seed, one for faults of the stage and one for faults of connections,
// which run concurrently.
import type { Random } from '../random.ts';
import { CONNECTIONS } from './connections.ts';
import { DESTROYING } from './destroying.ts';
import { type Fault, type FaultStage, type Played, pause } from './fault.ts';
import { PROCESSES } from './processes.ts';

export const FAULTS: readonly Fault[] = [...PROCESSES, ...DESTROYING, ...CONNECTIONS];

/** How long a kind that has not happened yet may still be injected after the time is up. */
const PATIENCE_MS = 60_000;

export interface Schedule {
  /**
   * Injects faults until the time is up and each kind has happened, or its grace period is over. Completes the
   * current ones.
   */
  run(): Promise<void>;
  readonly played: readonly Played[];
  /** Unexpected results of faults, such as a server that does not drain. */
  readonly problems: readonly string[];
  /** How many times each kind has happened, including 0. */
  counts(): Record<string, number>;
}

export interface ScheduleOptions {
  readonly stage: FaultStage;
  readonly random: Random;
  readonly kinds: readonly string[];
  /** The pause between two faults of a deck, in ms. */
  readonly restMs: readonly [number, number];
  readonly timeUp: AbortSignal;
  log(line: string): void;
}

export function createSchedule({ stage, random, kinds, restMs, timeUp, log }: ScheduleOptions): Schedule {
  const played: Played[] = [];
  const problems: string[] = [];
  const counts = new Map(kinds.map((kind) => [kind, 0]));
  const startedAt = Date.now();
  let timeUpAt = Number.POSITIVE_INFINITY;
  timeUp.addEventListener('abort', () => {
    timeUpAt = Date.now();
  });
  const patience = (): number => timeUpAt + PATIENCE_MS;

  async function play(fault: Fault): Promise<void> {
    const entry: Played = { kind: fault.kind, from: Date.now(), to: Number.POSITIVE_INFINITY };
    played.push(entry);
    const hasEffect = await fault.play(stage).catch(async (error: Error) => {
      problems.push(`${fault.kind}: ${error.message}`);
      for (const server of stage.servers) if (server.pid === undefined) await server.start();
      return false;
    });
    entry.to = Date.now();
    if (hasEffect) counts.set(fault.kind, (counts.get(fault.kind) ?? 0) + 1);
    const seconds = ((entry.from - startedAt) / 1_000).toFixed(1);
    log(
      `${seconds.padStart(7)} s  ${fault.kind}${hasEffect ? '' : ' (no effect)'}, ${entry.to - entry.from} ms`,
    );
  }

  async function runDeck(faults: readonly Fault[], deckRandom: Random): Promise<void> {
    const isOver = (): boolean => {
      const isPending = faults.some(({ kind }) => counts.get(kind) === 0);
      return stage.signal.aborted || (timeUp.aborted && (!isPending || Date.now() > patience()));
    };
    for (let turn = 0; faults.length > 0 && !isOver(); turn += 1) {
      for (const fault of deckRandom.fork(`turn ${turn}`).shuffled(faults)) {
        await rest(deckRandom.integer(...restMs), isOver);
        if (isOver()) return;
        if (!timeUp.aborted || counts.get(fault.kind) === 0) await play(fault);
      }
    }
  }

  const chosen = (faults: readonly Fault[]): Fault[] => faults.filter(({ kind }) => kinds.includes(kind));
  return {
    run: async () => {
      await Promise.all([
        runDeck(chosen([...PROCESSES, ...DESTROYING]), random.fork('processes')),
        runDeck(chosen(CONNECTIONS), random.fork('connections')),
      ]);
    },
    played,
    problems,
    counts: () => Object.fromEntries(counts),
  };
}

/** Returns early if the deck is over. */
async function rest(ms: number, isOver: () => boolean): Promise<void> {
  const until = Date.now() + ms;
  while (Date.now() < until && !isOver()) await pause(Math.min(100, until - Date.now()));
}
