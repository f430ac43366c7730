// Which fault comes when: decks that are shuffled by the seed, one for what shakes the whole stage and one for what
// goes on beside it.
import type { Random } from '../random.ts';
import { CONNECTIONS } from './connections.ts';
import { DESTROYING } from './destroying.ts';
import { type Fault, type FaultStage, type Played, pause } from './fault.ts';
import { PROCESSES } from './processes.ts';

export const FAULTS: readonly Fault[] = [...PROCESSES, ...DESTROYING, ...CONNECTIONS];

/** How long after time is up a kind that has not happened may still get its turn. */
const PATIENCE_MS = 60_000;

export interface Schedule {
  /** Plays until time is up, and then on until each kind has had its turn. Finishes what is under way. */
  run(): Promise<void>;
  readonly played: readonly Played[];
  /** What a fault met that it should not have, such as a server that does not drain. */
  readonly problems: readonly string[];
  /** How often each kind has happened, also those that have not. */
  counts(): Record<string, number>;
}

export interface ScheduleOptions {
  readonly stage: FaultStage;
  readonly random: Random;
  readonly kinds: readonly string[];
  /** The rest between two faults of a deck, in ms. */
  readonly restMs: readonly [number, number];
  readonly timeUp: AbortSignal;
  say(line: string): void;
}

export function createSchedule({ stage, random, kinds, restMs, timeUp, say }: ScheduleOptions): Schedule {
  const played: Played[] = [];
  const problems: string[] = [];
  const happened = new Map(kinds.map((kind) => [kind, 0]));
  const from = Date.now();
  let upAt = Number.POSITIVE_INFINITY;
  timeUp.addEventListener('abort', () => {
    upAt = Date.now();
  });
  const patience = (): number => upAt + PATIENCE_MS;

  async function play(fault: Fault): Promise<void> {
    const entry: Played = { kind: fault.kind, from: Date.now(), to: Number.POSITIVE_INFINITY };
    played.push(entry);
    const isReal = await fault.play(stage).catch(async (error: Error) => {
      problems.push(`${fault.kind}: ${error.message}`);
      for (const server of stage.servers) if (server.pid === undefined) await server.start();
      return false;
    });
    entry.to = Date.now();
    if (isReal) happened.set(fault.kind, (happened.get(fault.kind) ?? 0) + 1);
    const seconds = ((entry.from - from) / 1_000).toFixed(1);
    say(
      `${seconds.padStart(7)} s  ${fault.kind}${isReal ? '' : ' (nothing to happen to)'}, ${entry.to - entry.from} ms`,
    );
  }

  async function runDeck(faults: readonly Fault[], own: Random): Promise<void> {
    const isOver = (): boolean => {
      const owed = faults.some(({ kind }) => happened.get(kind) === 0);
      return stage.signal.aborted || (timeUp.aborted && (!owed || Date.now() > patience()));
    };
    for (let turn = 0; faults.length > 0 && !isOver(); turn += 1) {
      for (const fault of own.fork(`turn ${turn}`).shuffled(faults)) {
        await rest(own.whole(...restMs), isOver);
        if (isOver()) return;
        if (!timeUp.aborted || happened.get(fault.kind) === 0) await play(fault);
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
    counts: () => Object.fromEntries(happened),
  };
}

/** Returns early where there is no need to wait. */
async function rest(ms: number, isOver: () => boolean): Promise<void> {
  const until = Date.now() + ms;
  while (Date.now() < until && !isOver()) await pause(Math.min(100, until - Date.now()));
}
